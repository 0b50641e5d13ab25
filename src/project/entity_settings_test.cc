#include "project/entity_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "project/project_file.h"

namespace rhodes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<ProjectFile> Parse(const std::string& entity) {
  return ParseProjectFile("[[source]]\nname = \"cars\"\npaths = [\"x\"]\n" + entity, "/p/rhodes.toml", false);
}

TEST(EntitySettings, ReadsAllKeys) {
  const absl::StatusOr<ProjectFile> project = Parse(R"(
[[entity]]
kind = "device"
keys = ["vin", "plate"]
name = "model"
threshold = 0.8
max_block = 7
labels = "pairs.txt"
match.model.compare = "text"
match.place = { compare = "place", within = 200 }
[[entity.from]]
source = "cars"
where = "kind = 'row'"
keys.vin = "author"
attributes.model = "fields['model']"
attributes.place = "latitude || ' ' || longitude"
)");
  ASSERT_TRUE(project.ok()) << project.status();
  ASSERT_EQ(project->entities.size(), 1u);
  const EntityKind& kind = project->entities[0];
  EXPECT_THAT(kind.keys, ElementsAre("vin", "plate"));
  EXPECT_THAT(kind.Attributes(), ElementsAre("model", "place"));
  EXPECT_EQ(kind.labels, "/p/pairs.txt");
  ASSERT_EQ(kind.match.size(), 2u);
  EXPECT_EQ(kind.match[0].comparison, Comparison::kText);
  EXPECT_EQ(kind.match[1].within, 200);
  EXPECT_EQ(kind.from[0].where, "kind = 'row'");
  const absl::StatusOr<EntityKind> again = EntityKindFromJson(ToJson(kind), "manifest");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(ToJson(*again), ToJson(kind)) << "the manifest keeps all of it";
  EXPECT_TRUE(absl::IsDataLoss(EntityKindFromJson(Json{{"kind", 3}}, "manifest").status()));
}

TEST(EntitySettings, SaysWhatIsWrongAndWhere) {
  const auto message = [](const std::string& entity) {
    const absl::Status status = Parse(entity).status();
    EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage);
    return Message(status);
  };
  const std::string from = "[[entity.from]]\nsource = \"cars\"\nattributes.name = \"author\"\n";
  const std::string kind = "[[entity]]\nkind = \"a\"\n";
  EXPECT_THAT(message("[[entity]]\nkind = \"a b\"\n" + from), HasSubstr("entity.kind \"a b\" must be letters"));
  EXPECT_THAT(message(kind), HasSubstr("has no [[entity.from]]"));
  EXPECT_THAT(message(kind + "[[entity.from]]\nsource = \"cras\"\n"), HasSubstr("did you mean \"cars\"?"));
  EXPECT_THAT(message(kind + "[[entity.from]]\nsource = \"cars\"\n"), HasSubstr("neither keys nor attributes"));
  EXPECT_THAT(message(kind + "[[entity.from]]\nsource = \"cars\"\nkeys.vin = \"author\"\n"),
              HasSubstr("\"vin\" is not in entity.keys"));
  EXPECT_THAT(message(kind + "match.nmae.compare = \"name\"\n" + from), HasSubstr("did you mean \"name\"?"));
  EXPECT_THAT(message(kind + "match.name.compare = \"numbr\"\n" + from), HasSubstr("did you mean \"number\"?"));
  EXPECT_THAT(message(kind + "match.name = { within = 3 }\n" + from),
              HasSubstr("within goes with compare = \"place\""));
  EXPECT_THAT(message(kind + "labels = \"x\"\nmatch.name.weight = 1\n" + from), HasSubstr("give labels or weights"));
  EXPECT_THAT(message(kind + "treshold = 1\n" + from), HasSubstr("/p/rhodes.toml:6:1"));
  EXPECT_THAT(message(kind + from + kind + from), HasSubstr("two entities are of the kind \"a\""));
}

}  // namespace
}  // namespace rhodes
