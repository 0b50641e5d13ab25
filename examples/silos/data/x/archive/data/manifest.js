window.__THAR_CONFIG = {
  "userInfo": {
    "accountId": "105",
    "userName": "lamp_keeper",
    "displayName": "Lamp Keeper"
  },
  "archiveInfo": {
    "sizeBytes": "1",
    "generationDate": "2024-03-02T10:00:00.000Z",
    "isPartialArchive": false,
    "maxPartSizeBytes": "1"
  },
  "dataTypes": {
    "tweets": {
      "files": [
        {
          "fileName": "data/tweets.js",
          "globalName": "YTD.tweets.part0",
          "count": "3"
        }
      ]
    },
    "account": {
      "files": [
        {
          "fileName": "data/account.js",
          "globalName": "YTD.account.part0",
          "count": "1"
        }
      ]
    }
  }
}