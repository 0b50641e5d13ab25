#include "curate/personal_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "base/json.h"
#include "curate/personal_data_checks.h"
#include "curate/personal_data_phones.h"

namespace rhodes {
namespace {

std::string Replaced(std::string_view text) {
  return ReplacePersonalData(text, FindPersonalData(text, {}), {}, nullptr);
}

TEST(PersonalData, FindsEachKind) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"mail a.b+c@mail.example.org.", "mail <EMAIL>."},
      {"ring +44 20 7946 0958 now", "ring <PHONE> now"},
      {"(415) 555-2671", "<PHONE>"},
      {"هاتف +٩٦٦ ٥٠ ١٢٣ ٤٥٦٧", "هاتف <PHONE>"},
      {"card 4111 1111 1111 1111.", "card <CARD>."},
      {"DE89 3704 0044 0532 0130 00", "<IBAN>"},
      {"GB82WEST12345698765432, x", "<IBAN>, x"},
      {"from 8.8.8.8.", "from <IP>."},
      {"SSN 123-45-6789", "SSN <NATIONAL_ID>"},
      {"12345678Z", "<NATIONAL_ID>"},
      {"RSSMRA85T10A562S", "<NATIONAL_ID>"},
      {"QQ1 AB123456C", "QQ1 <NATIONAL_ID>"},
      {"cpf 529.982.247-25", "cpf <NATIONAL_ID>"},
      {"key AKIAIOSFODNN7EXAMPLE x", "key <SECRET> x"},
      {"1M8GDM9AXKP042788", "<VIN>"},
      {"[2A00:1450:4001:82A::200E]:443", "[<IP>]:443"},
      {"via ::ffff:8.8.8.8.", "via <IP>."},
      {"http://8.8.4.4/", "http://<IP>/"},
      {"+44 (0)20 7946 0958", "<PHONE>"},
      {"Tel: 020 7946 0958 (day)", "Tel: <PHONE> (day)"},
      {"تواصل ٠٥٠ ١٢٣ ٤٥٦٧", "تواصل <PHONE>"},
      {"هاتف الرياض (011) 4538565", "هاتف الرياض <PHONE>"},
      {"call 1-415-555-2671", "call <PHONE>"},
      {"paid 4111-1111-1111-1111 12/29", "paid <CARD> 12/29"},
      {"NINO AB 12 34 56 C.", "NINO <NATIONAL_ID>."},
      {"BSN: 111222333", "BSN: <NATIONAL_ID>"},
      {"الرقم ٢٩٠٠١٠١٠١٢٣٤٥٦", "الرقم <NATIONAL_ID>"}};
  for (const auto& [text, wanted] : cases) EXPECT_EQ(Replaced(text), wanted);
}

TEST(PersonalData, LeavesWhatOnlyLooksLikeIt) {
  for (const std::string_view text : {"order 4111 1111 1111 1112",
                                      "version 1.2.3.4.5",
                                      "host 192.168.1.1",
                                      "203.0.113.9",
                                      "2026-11-27 02:05:10",
                                      "sha da39a3ee5e6b4b0d3255bfef95601890afd80709",
                                      "at 40.712776, -74.005974",
                                      "ISBN 978-3-16-148410-0",
                                      "DE88 3704 0044 0532 0130 00",
                                      "000-12-3456",
                                      "12345678A",
                                      "1M8GDM9A0KP042788",
                                      "@home",
                                      "a@b",
                                      "x @ y.com",
                                      "+1 2",
                                      "1234567890",
                                      "phone logs 2021-11-09",
                                      "",
                                      "logo@2x.png",
                                      "lodash@4.17.21",
                                      "Chrome/120.0.6099.71",
                                      "version 8.8.8.8",
                                      "fe80::1",
                                      "2001:db8::1",
                                      "std::vector",
                                      "10:20:30",
                                      "00:1b:44:11:3a:b7",
                                      "a::b",
                                      "call the 2010 2011 2012 teams",
                                      "hotel 5551234",
                                      "Phone me. Born in 1823-1999",
                                      "+44 20",
                                      "+999 12345678",
                                      "IBAN DE95 4653 5233 7197 5304 80",
                                      "1,234,567,890",
                                      "$4111111111111111",
                                      "/4111111111111111",
                                      "20101112131415",
                                      "tweet 1724567890123456789",
                                      "000-12-3456 000-12-3457",
                                      "BSN 111222334",
                                      "5 111222333"}) {
    EXPECT_EQ(Replaced(text), text);
  }
}

TEST(PersonalData, CheckDigitsRefuseAnyOneChangedDigit) {
  const auto only = [](bool (*passes)(std::string_view), std::string number) {
    ASSERT_TRUE(passes(number)) << number;
    for (char& c : number) {
      const char kept = c;
      for (c = '0'; c <= '9'; ++c) EXPECT_EQ(passes(number), c == kept) << number;
      c = kept;
    }
  };
  only(PassesLuhn, "4111111111111111");
  only(PassesVerhoeff, "2363");
}

TEST(PersonalData, PhonesAreThoseOfTheNumberingPlans) {
  // Of every country code, as phonenumbers 9 (PyPI) judges them: bench/peers/phone_plans.py. What we take of invalid
  // ones and miss of valid ones are those that the first three digits do not tell.
  std::ifstream file(RHODES_SOURCE_DIR "/src/curate/testdata/personal_data/phones.txt");
  ASSERT_TRUE(file);
  std::array<int, 2> numbers{};
  std::array<int, 2> agreed{};
  std::string digits;
  for (size_t valid = 0; file >> digits >> valid; ++numbers[valid]) {
    agreed[valid] += IsInternationalPhone(digits) == (valid == 1) ? 1 : 0;
  }
  ASSERT_GT(numbers[0], 600);
  ASSERT_GT(numbers[1], 600);
  EXPECT_GE(agreed[0], numbers[0] * 99 / 100);
  EXPECT_GE(agreed[1], numbers[1] * 97 / 100);
}

TEST(PersonalData, EveryNumberingPlanIsReached) {
  for (const PhonePlan& plan : PhonePlans()) {
    std::string digits = std::to_string(plan.code) + std::string(plan.prefixes.substr(0, 3));
    digits.resize(digits.size() + static_cast<size_t>(plan.length) - 3, '0');
    EXPECT_TRUE(IsInternationalPhone(digits)) << digits;
    EXPECT_FALSE(IsInternationalPhone(digits + std::string(20, '0'))) << digits;
  }
}

TEST(PersonalData, FindsWhatIsLabelledAndNothingElse) {
  // bench/peers/personal_data_corpus.py: items made by other implementations between numbers that are none.
  std::ifstream file(RHODES_SOURCE_DIR "/src/curate/testdata/personal_data/labelled.jsonl");
  ASSERT_TRUE(file);
  size_t labelled = 0;
  size_t right = 0;
  size_t wrong = 0;
  for (std::string line; std::getline(file, line);) {
    const absl::StatusOr<Json> row = ParseJson(line, "labelled.jsonl");
    ASSERT_TRUE(row.ok()) << row.status();
    const std::string text = row->at("text");
    std::vector<PersonalDataItem> found = FindPersonalData(text, {});
    const size_t all = found.size();
    for (const Json& item : row->at("items")) {
      ++labelled;
      std::erase_if(found, [&](const PersonalDataItem& one) {
        return one.begin == item.at("begin") && one.end == item.at("end") &&
               PersonalDataName(one.kind) == item.at("kind");
      });
    }
    right += all - found.size();
    wrong += found.size();
    EXPECT_THAT(FindPersonalData(ReplacePersonalData(text, FindPersonalData(text, {}), {}, nullptr), {}),
                ::testing::IsEmpty());
  }
  ASSERT_GT(labelled, 400u);
  EXPECT_GE(right, labelled * 99 / 100);
  EXPECT_LE(wrong, labelled / 100);
}

TEST(PersonalData, TakesLinearTimeOnTextThatIsMadeToBeSlow) {
  // With a quadratic step anywhere, twice the text takes four times as long, and 16 times the text 256 times.
  const auto seconds = [](std::string_view piece, size_t size) {
    std::string text;
    while (text.size() < size) text += piece;
    double best = 1e9;
    for (int round = 0; round < 3; ++round) {
      const auto begun = std::chrono::steady_clock::now();
      FindPersonalData(text, {});
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
    }
    return best;
  };
  for (const std::string_view piece : {"@",
                                       "a.a.a.a@",
                                       "a@a.",
                                       "@a",
                                       "1 ",
                                       "12-",
                                       "1.2.3.4.",
                                       "1",
                                       "0123456789abcdef",
                                       "abcdef",
                                       ".",
                                       "1:",
                                       "::",
                                       "a:",
                                       "yJ",
                                       "eyJ.",
                                       "eyJa-",
                                       "-----BEGIN PRIVATE KEY-----",
                                       "-----BEGIN RSA ",
                                       "ghp_",
                                       "sk-",
                                       "AKIA",
                                       "IA",
                                       "DE89 ",
                                       "DE89",
                                       "+",
                                       "+1",
                                       "+(1",
                                       "(1) ",
                                       "\xD9\xA1",
                                       "\xD9\xA1 ",
                                       "tel 1",
                                       "tel ",
                                       "A1 ",
                                       "1234567 ",
                                       "_",
                                       "-",
                                       "a_",
                                       "2001:db8:",
                                       "2a00::",
                                       "4111 1111 1111 111 "}) {
    const double once = seconds(piece, size_t{1} << 15);
    const double longer = seconds(piece, size_t{1} << 19);
    EXPECT_LT(longer, std::max(16 * 6 * once, 0.002))
        << piece << ": " << once << " s, 16 times the text " << longer << " s";
  }
}

TEST(PersonalData, PlaceholdersCanBeChosen) {
  const std::string_view text = "a@b.co 8.8.8.8";
  PersonalDataSettings settings;
  settings.placeholder = "[{kind}]";
  settings.placeholders[static_cast<size_t>(PersonalDataKind::kIp)] = "0.0.0.0";
  EXPECT_EQ(ReplacePersonalData(text, FindPersonalData(text, settings), settings, nullptr), "[email] 0.0.0.0");
  settings.placeholder = "";
  EXPECT_EQ(ReplacePersonalData(text, FindPersonalData(text, settings), settings, nullptr), " 0.0.0.0");
}

TEST(PersonalData, AddressesOfAllKindsWhenWanted) {
  PersonalDataSettings settings;
  settings.all_addresses = true;
  for (const std::string_view text :
       {"10.0.0.1", "fe80::1", "::1", "dead:beef::", "face:cafe:dead:beef:face:cafe:dead:beef"}) {
    EXPECT_THAT(FindPersonalData(text, settings),
                ::testing::ElementsAre(PersonalDataItem{0, text.size(), PersonalDataKind::kIp}))
        << text;
    EXPECT_THAT(FindPersonalData(text, {}), ::testing::IsEmpty()) << text;
  }
  EXPECT_THAT(FindPersonalData("x :: y std::string 10:20:30", settings), ::testing::IsEmpty());
}

TEST(PersonalData, MovesMarks) {
  const std::string text = "to a@b.co now";
  std::vector<size_t> marks = {0, 3, 5, 9, 13};
  EXPECT_EQ(ReplacePersonalData(text, FindPersonalData(text, {}), {}, &marks), "to <EMAIL> now");
  EXPECT_THAT(marks, ::testing::ElementsAre(0, 3, 10, 10, 14));
}

TEST(PersonalData, KindsCanBeSwitchedOff) {
  PersonalDataSettings settings;
  settings.email = false;
  EXPECT_THAT(FindPersonalData("a@b.co 8.8.8.8", settings),
              ::testing::ElementsAre(PersonalDataItem{7, 14, PersonalDataKind::kIp}));
}

}  // namespace
}  // namespace rhodes
