// Numbers of each scheme that python-stdnum 2 finds valid and not valid: random ones, made from a seed, of nobody.
#include "curate/personal_data_checks.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rhodes {
namespace {

struct Scheme {
  const char* name;
  bool (*check)(std::string_view);
  std::vector<std::string> valid;
  std::vector<std::string> invalid;
};

const std::vector<Scheme>& Schemes() {
  static const auto* const schemes = new std::vector<Scheme>{
      {"PassesLuhn",
       &PassesLuhn,
       {"416721106845", "79350184637337678", "548020418179781", "5480204181797818", "3051140493", "23076456659344",
        "395900663929022945", "893499975242545381"},
       {"41672110684", "7935018463733767", "305114049", "2307645665934", "39590066392902294", "89349997524254538",
        "792767598064992820", "9279537322503"}},
      {"PassesVerhoeff",
       &PassesVerhoeff,
       {"038854214309", "036736373000", "83645320095", "836453200950", "226218508288", "481064942959", "365852589547",
        "794452513533"},
       {"03885421430", "03673637300", "22621850828", "48106494295", "36585258954", "79445251353", "79420035255",
        "39117946166"}},
      {"IsAadhaar",
       &IsAadhaar,
       {"543244519567", "543833642506", "979487997627", "723478162249", "229134371504", "680825937717", "371408000821",
        "893401071333"},
       {"832374184049", "591960761639", "495526192924", "868465260604", "793213811549", "193228290851", "335663764815",
        "781892230383"}},
      {"IsBrazilianCpf",
       &IsBrazilianCpf,
       {"48366946711", "25475683492", "53959116268", "04212190338", "92120234019", "09282490424", "01206062673",
        "30875549608"},
       {"23440107488", "56714306924", "55524090815", "38078276528", "95595223002", "74374802460", "08355852055",
        "92519441050"}},
      {"IsDutchBsn",
       &IsDutchBsn,
       {"498904775", "187381331", "331346187", "721804378", "367808286", "749071783", "524885813", "552354545"},
       {"752316374", "027976630", "122979112", "931795469", "047132679", "058951361", "169375968", "613307651"}},
      {"IsNorwegianBirthNumber",
       &IsNorwegianBirthNumber,
       {"07030194122", "21088639453", "24018034952", "18086955608", "26070443340", "24025021777", "25092408798",
        "09035338613"},
       {"060655958106", "35103499315", "66380329587", "69373453588", "94751351095", "60022534359", "23110048886",
        "68301412277"}},
      {"IsFrenchNir",
       &IsFrenchNir,
       {"137080405145057", "203020591784903", "251095254769090", "245022307889381", "179114565813396",
        "111098252388074", "297074164615630", "256067363449021"},
       {"545269149374246", "205180451187634", "428789566902817", "031592418801394", "528300134587046",
        "012621858542991", "817653992641580", "427855912249821"}},
      {"IsSpanishId",
       &IsSpanishId,
       {"92590507M", "Y5491736V", "63761119J", "Y8667134N", "59414737X", "X2314202B", "90007235R", "Z5469602T"},
       {"92590507F", "Y5491736G", "63761119Z", "Y8667134P", "59414737T", "X2314202M", "90007235H", "Z5469602N"}},
      {"IsUsSocialSecurity",
       &IsUsSocialSecurity,
       {"100029290", "618252225", "718848436", "739727980", "432552489", "496484016", "715487205", "283952835"},
       {"998840832", "980172802", "917749672", "964915335", "965591553", "935567460", "959030387", "992187064"}},
      {"IsItalianFiscalCode",
       &IsItalianFiscalCode,
       {"LLMBRF00M08A425F", "NSRBFC70D04H476D", "MCFFNM07L71C370C", "DNRDCR23L20D800N", "MCLNPP72B29F777N",
        "RPLRCP37D29F918Y", "PSLRMP06R48H425O", "STDSSC24S50B567E"},
       {"LLMBRF00M08A425H", "NSRBFC70D04H476Z", "MCFFNM07L71C370N", "DNRDCR23L20D800D", "MCLNPP72B29F777A",
        "RPLRCP37D29F918S", "PSLRMP06R48H425M", "STDSSC24S50B567U"}},
      {"IsIban",
       &IsIban,
       {"GB82WEST12345698765432", "GB82WEST12345698765432", "GB82WEST12345698765432", "DE89370400440532013000",
        "DE89370400440532013000", "FR1420041010050500013M02606", "FR1420041010050500013M02606",
        "FR1420041010050500013M02606"},
       {"GB82WEST12345618765432", "GB82WES312345698765432", "GB82WEST12345697765432", "GB82WE0T12345698765432",
        "GB82WEST72345698765432", "GB82WEST12345598765432", "GB82WEST12345698735432", "GB82WEST12345690765432"}},
  };
  return *schemes;
}

TEST(PersonalDataChecks, AgreeWithAnotherImplementation) {
  for (const Scheme& scheme : Schemes()) {
    for (const std::string& number : scheme.valid) EXPECT_TRUE(scheme.check(number)) << scheme.name << " " << number;
    for (const std::string& number : scheme.invalid) EXPECT_FALSE(scheme.check(number)) << scheme.name << " " << number;
  }
}

TEST(PersonalDataChecks, ANumberThatIsTooShortTooLongOrEmptyIsNone) {
  for (const Scheme& scheme : Schemes()) {
    const std::string& valid = scheme.valid.front();
    const std::string name = scheme.name;
    if (name == "PassesLuhn" || name == "PassesVerhoeff") continue;  // of any length
    EXPECT_FALSE(scheme.check("")) << scheme.name;
    EXPECT_FALSE(scheme.check(valid.substr(1))) << scheme.name;
    EXPECT_FALSE(scheme.check(valid + "0")) << scheme.name;
  }
}

}  // namespace
}  // namespace rhodes
