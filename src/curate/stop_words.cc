#include "curate/stop_words.h"

#include <algorithm>
#include <cstdint>
#include <map>

#include "base/text.h"

namespace rhodes {
namespace {

struct List {
  std::string_view language;
  std::string_view words;
};

// English is the reference's list (Gopher's). The others are the most frequent function words of each language; where
// they begin sentences or are written in two ways, both forms stand, since the comparison is with case.
constexpr List kLists[] = {
    {"ar", "في من على إلى الى أن ان هذا هذه التي الذي عن مع ما لا أو او كان ذلك هو هي كل قد لم وفي ومن بعد بين"},
    {"cs", "a se v na je že s z do o k i to pro ve za by jako po které nebo"},
    {"da", "og i at det er en til af den på for med der som ikke et de kan"},
    {"de", "der die das und in zu den ist von mit nicht ein eine des auf für im sich dem als oder wird Die Der Das"},
    {"el", "και το να του η της με που την από για είναι τα στο οι"},
    {"en", "the be to of and that have with"},
    {"es", "de la que el en y a los se del las un por con una para no es El La o como"},
    {"fa", "و در به از که این را با است برای آن یک می تا بر"},
    {"fi", "ja on ei se että joka oli ovat tai jos kun myös voi mutta"},
    {"fr", "de la le et les des en un une du que est pour dans qui sur par pas au Le La ou avec ce"},
    {"he", "של את על לא זה הוא גם עם כל או אם היא יש כי"},
    {"hi", "के का में की है से और को पर यह एक हैं ने भी"},
    {"hu", "a az és hogy nem is egy A Az vagy meg ez de csak"},
    {"id", "dan yang di untuk dengan dari ini pada atau tidak dalam ke adalah akan"},
    {"it", "di e il la che in un a per è una del non con i le si da dei alla o"},
    {"ko", "및 이 그 수 등 또는 있는 한 것 있다"},
    {"nl", "de het een en van in te is dat op die voor met niet aan zijn of worden De Het"},
    {"no", "og i det er en til av den på for med som ikke et de kan eller"},
    {"pl", "i w na z do się nie to że jest o jak po od za dla lub przez są"},
    {"pt", "de a o que e do da em um para com não uma os no se na por é ou as"},
    {"ro", "de și în a la cu pe o că nu este din un pentru care sau se"},
    {"ru", "и в не на с что по для к из или от как это а у о за В если при"},
    {"sv", "och i att det som en på är av för med till den inte om ett eller kan"},
    {"tr", "ve bir bu için ile de da olarak daha olan ne ya veya her"},
    {"uk", "і в не на з що до та за як у це для або від по"},
    {"vi", "và của là có cho không các được trong một này với để khi"},
};

std::string_view Primary(std::string_view language) { return language.substr(0, language.find('-')); }

}  // namespace

StopWords::StopWords(std::vector<std::string> words) : words_(std::move(words)) {
  std::sort(words_.begin(), words_.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  words_.erase(std::unique(words_.begin(), words_.end()), words_.end());
  words_.resize(std::min<size_t>(words_.size(), 64));
  first_.assign((words_.empty() ? 0 : words_.back().size()) + 2, 0);
  for (size_t size = 0; size < first_.size(); ++size) {
    first_[size] = static_cast<uint8_t>(
        std::find_if(words_.begin(), words_.end(), [&](const std::string& word) { return word.size() >= size; }) -
        words_.begin());
  }
}

int StopWords::Find(std::string_view word) const {
  if (word.size() + 1 >= first_.size()) return -1;
  for (size_t i = first_[word.size()]; i < first_[word.size() + 1]; ++i) {
    if (words_[i] == word) return static_cast<int>(i);
  }
  return -1;
}

const StopWords* FindStopWords(std::string_view language) {
  static const auto* const lists = [] {
    auto* map = new std::map<std::string_view, StopWords>;
    for (const List& list : kLists) {
      std::vector<std::string> words;
      for (const std::string_view word : Split(list.words, ' ')) words.emplace_back(word);
      map->emplace(list.language, StopWords(std::move(words)));
    }
    return map;
  }();
  const std::string_view primary = Primary(language);
  const auto found = lists->find(primary == "nb" || primary == "nn" ? "no" : primary);
  return found == lists->end() ? nullptr : &found->second;
}

std::vector<std::string_view> StopWordLanguages() {
  std::vector<std::string_view> languages;
  for (const List& list : kLists) languages.push_back(list.language);
  return languages;
}

}  // namespace rhodes
