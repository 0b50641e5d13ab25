#include "fuse/units.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace rhodes {
namespace {

struct Symbol {
  const char* name;  // and what English readers read
  const char* arabic;
};

constexpr Symbol kSymbols[] = {
    {"m/s", "م/ث"},
    {"km/h", "كم/س"},
    {"ms", "م.ث"},
    {"s", "ث"},
    {"min", "د"},
    {"h", "س"},
    {"mm", "مم"},
    {"cm", "سم"},
    {"m", "م"},
    {"km", "كم"},
    {"mi", "ميل"},
    {"ft", "قدم"},
    {"mph", "ميل/س"},
    {"kn", "عقدة"},
    {"m/s²", "م/ث²"},
    {"°", "°"},
    {"°C", "°م"},
    {"°F", "°ف"},
    {"K", "كلفن"},
    {"%", "%"},
    {"V", "فولت"},
    {"A", "أمبير"},
    {"W", "واط"},
    {"kW", "كيلوواط"},
    {"MW", "ميغاواط"},
    {"Wh", "واط ساعة"},
    {"kWh", "كيلوواط ساعة"},
    {"MWh", "ميغاواط ساعة"},
    {"Hz", "هرتز"},
    {"kHz", "كيلوهرتز"},
    {"MHz", "ميغاهرتز"},
    {"GHz", "غيغاهرتز"},
    {"dB", "ديسيبل"},
    {"dBm", "ديسيبل ملي واط"},
    {"bit/s", "بت/ث"},
    {"kbit/s", "كيلوبت/ث"},
    {"Mbit/s", "ميغابت/ث"},
    {"Gbit/s", "غيغابت/ث"},
    {"B", "بايت"},
    {"kB", "كيلوبايت"},
    {"MB", "ميغابايت"},
    {"GB", "غيغابايت"},
    {"Pa", "باسكال"},
    {"hPa", "هكتوباسكال"},
    {"kPa", "كيلوباسكال"},
    {"bar", "بار"},
    {"psi", "رطل/بوصة²"},
    {"g", "غ"},
    {"kg", "كغ"},
    {"t", "طن"},
    {"l", "ل"},
    {"ml", "مل"},
    {"rpm", "دورة/د"},
    {"Nm", "نيوتن متر"},
};

struct Word {
  const char* singular;
  const char* plural;
  const char* arabic[5];  // one, two, few, many, other
};

constexpr Word kWords[] = {
    {"second", "seconds", {"ثانية واحدة", "ثانيتان", "ثوانٍ", "ثانية", "ثانية"}},
    {"minute", "minutes", {"دقيقة واحدة", "دقيقتان", "دقائق", "دقيقة", "دقيقة"}},
    {"hour", "hours", {"ساعة واحدة", "ساعتان", "ساعات", "ساعة", "ساعة"}},
    {"day", "days", {"يوم واحد", "يومان", "أيام", "يومًا", "يوم"}},
    {"week", "weeks", {"أسبوع واحد", "أسبوعان", "أسابيع", "أسبوعًا", "أسبوع"}},
    {"month", "months", {"شهر واحد", "شهران", "أشهر", "شهرًا", "شهر"}},
    {"year", "years", {"سنة واحدة", "سنتان", "سنوات", "سنة", "سنة"}},
    {"metre", "metres", {"متر واحد", "متران", "أمتار", "مترًا", "متر"}},
    {"meter", "meters", {"متر واحد", "متران", "أمتار", "مترًا", "متر"}},
    {"kilometre", "kilometres", {"كيلومتر واحد", "كيلومتران", "كيلومترات", "كيلومترًا", "كيلومتر"}},
    {"kilometer", "kilometers", {"كيلومتر واحد", "كيلومتران", "كيلومترات", "كيلومترًا", "كيلومتر"}},
    {"mile", "miles", {"ميل واحد", "ميلان", "أميال", "ميلًا", "ميل"}},
    {"degree", "degrees", {"درجة واحدة", "درجتان", "درجات", "درجة", "درجة"}},
    {"satellite", "satellites", {"قمر صناعي واحد", "قمران صناعيان", "أقمار صناعية", "قمرًا صناعيًا", "قمر صناعي"}},
    {"vehicle", "vehicles", {"مركبة واحدة", "مركبتان", "مركبات", "مركبة", "مركبة"}},
    {"car", "cars", {"سيارة واحدة", "سيارتان", "سيارات", "سيارة", "سيارة"}},
    {"dish", "dishes", {"طبق واحد", "طبقان", "أطباق", "طبقًا", "طبق"}},
    {"post", "posts", {"منشور واحد", "منشوران", "منشورات", "منشورًا", "منشور"}},
    {"article", "articles", {"مقال واحد", "مقالان", "مقالات", "مقالًا", "مقال"}},
    {"message", "messages", {"رسالة واحدة", "رسالتان", "رسائل", "رسالة", "رسالة"}},
    {"report", "reports", {"تقرير واحد", "تقريران", "تقارير", "تقريرًا", "تقرير"}},
    {"person", "people", {"شخص واحد", "شخصان", "أشخاص", "شخصًا", "شخص"}},
    {"outage", "outages", {"انقطاع واحد", "انقطاعان", "انقطاعات", "انقطاعًا", "انقطاع"}},
    {"measurement", "measurements", {"قياس واحد", "قياسان", "قياسات", "قياسًا", "قياس"}},
    {"time", "times", {"مرة واحدة", "مرتان", "مرات", "مرة", "مرة"}},
};

UnitForms Uniform(std::string_view form) {
  const std::string text(form);
  return {text, text, text, text, text, false};
}

UnitForms English(std::string_view one, std::string_view other) {
  const std::string many(other);
  return {std::string(one), many, many, many, many, false};
}

absl::StatusOr<UnitForms> WrittenOut(std::string_view name, TextLanguage language) {
  const std::vector<std::string_view> forms = Split(name, '|');
  const size_t wanted = language == TextLanguage::kEnglish ? 2 : 5;
  const bool blank = std::any_of(forms.begin(), forms.end(), [](std::string_view form) { return Trim(form).empty(); });
  if (forms.size() != wanted || blank) {
    return absl::InvalidArgumentError(fmt::format(
        "the unit \"{}\" must have {} with | between them", name,
        language == TextLanguage::kEnglish ? "2 forms (one, other)" : "5 forms (one, two, few, many, other)"));
  }
  if (language == TextLanguage::kEnglish) return English(forms[0], forms[1]);
  return UnitForms{std::string(forms[0]), std::string(forms[1]), std::string(forms[2]),
                   std::string(forms[3]), std::string(forms[4]), true};
}

}  // namespace

const std::string& UnitForms::For(std::string_view digits, TextLanguage language) const {
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) {  // a fraction, or below zero
    const bool minus_one = language == TextLanguage::kEnglish && digits == "-1";
    return minus_one ? one : other;
  }
  if (digits == "1") return one;
  if (language == TextLanguage::kEnglish) return other;
  if (digits == "2") return two;
  const std::string_view last = digits.substr(digits.size() < 2 ? 0 : digits.size() - 2);
  int rest = 0;
  for (const char c : last) rest = rest * 10 + (c - '0');
  return rest >= 11 ? many : rest >= 3 ? few : other;
}

absl::StatusOr<UnitForms> FindUnit(std::string_view name, TextLanguage language) {
  if (name.find('|') != std::string_view::npos) return WrittenOut(name, language);
  const bool arabic = language == TextLanguage::kArabic;
  std::vector<std::string> known;
  for (const Symbol& symbol : kSymbols) {
    if (name == symbol.name) return Uniform(arabic ? symbol.arabic : symbol.name);
    known.emplace_back(symbol.name);
  }
  for (const Word& word : kWords) {
    if (name == word.singular || name == word.plural) {
      if (!arabic) return English(word.singular, word.plural);
      return UnitForms{word.arabic[0], word.arabic[1], word.arabic[2], word.arabic[3], word.arabic[4], true};
    }
    known.emplace_back(word.singular);
    known.emplace_back(word.plural);
  }
  const std::string nearest = Nearest(name, known);
  return absl::InvalidArgumentError(
      fmt::format("there is no unit \"{}\"{}; write its forms with | between them, or put it behind the brace", name,
                  nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
}

}  // namespace rhodes
