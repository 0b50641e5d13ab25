window.YTD.account.part0 = [
  {
    "account": {
      "username": "lamp_keeper",
      "accountId": "105",
      "createdAt": "2012-01-01T00:00:00.000Z",
      "accountDisplayName": "Lamp Keeper",
      "email": "keeper@harbour.example.org"
    }
  }
]