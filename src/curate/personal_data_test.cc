#include "curate/personal_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "curate/personal_data_checks.h"

namespace rhodes {
namespace {

std::string Replaced(std::string_view text) {
  return ReplacePersonalData(text, FindPersonalData(text, {}), {}, nullptr);
}

TEST(PersonalData, FindsEachKind) {
  const std::pair<std::string_view, std::string_view> cases[] = {{"mail a.b+c@mail.example.org.", "mail <EMAIL>."},
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
                                                                 {"1M8GDM9AXKP042788", "<VIN>"}};
  for (const auto& [text, wanted] : cases) EXPECT_EQ(Replaced(text), wanted);
}

TEST(PersonalData, LeavesWhatOnlyLooksLikeIt) {
  for (const std::string_view text :
       {"order 4111 1111 1111 1112", "version 1.2.3.4.5", "host 192.168.1.1", "203.0.113.9", "2026-11-27 02:05:10",
        "sha da39a3ee5e6b4b0d3255bfef95601890afd80709", "at 40.712776, -74.005974", "ISBN 978-3-16-148410-0",
        "DE88 3704 0044 0532 0130 00", "000-12-3456", "12345678A", "1M8GDM9A0KP042788", "@home", "a@b", "x @ y.com",
        "+1 2", "1234567890", "phone logs 2021-11-09", ""}) {
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
