window.YTD.tweets.part0 = [
  {
    "tweet": {
      "id_str": "1763293057643446472",
      "id": "1763293057643446472",
      "created_at": "Thu Feb 29 20:00:00 +0000 2024",
      "full_text": "Keeping the log of the pier lamps: 1 to 12 lit, 4 dark.",
      "lang": "en",
      "entities": {
        "urls": []
      },
      "favorite_count": "1",
      "retweet_count": "0"
    }
  },
  {
    "tweet": {
      "id_str": "1763308157137846473",
      "id": "1763308157137846473",
      "created_at": "Thu Feb 29 21:00:00 +0000 2024",
      "full_text": "Second round: all lamps lit but 4, which needs a new fuse.",
      "lang": "en",
      "entities": {
        "urls": []
      },
      "favorite_count": "1",
      "retweet_count": "0"
    }
  },
  {
    "tweet": {
      "id_str": "1763323256632246474",
      "id": "1763323256632246474",
      "created_at": "Thu Feb 29 22:00:00 +0000 2024",
      "full_text": "Lamp 4 has its fuse and burns. The log is closed for tonight.",
      "lang": "en",
      "entities": {
        "urls": []
      },
      "favorite_count": "1",
      "retweet_count": "0"
    }
  }
]