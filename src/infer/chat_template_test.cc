#include "infer/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhodes {
namespace {

TEST(ChatTemplate, Render_IsTheFormOfTheTrainingDocuments) {
  EXPECT_EQ(*ChatTemplate().Render({{"user", "What is zstd?"}}), "Question: What is zstd?\nAnswer:");
  EXPECT_EQ(*ChatTemplate().Render({{"system", "Be short."}, {"user", "A?"}, {"assistant", "B."}, {"user", "C?"}}),
            "Be short.\n\nQuestion: A?\nAnswer: B.\n\nQuestion: C?\nAnswer:");
}

TEST(ChatTemplate, Render_TakesContentAsItIs) {
  EXPECT_EQ(*ChatTemplate().Render({{"user", "{content} {}"}}), "Question: {content} {}\nAnswer:");
}

TEST(ChatTemplate, Render_NamesWhatIsWrong) {
  EXPECT_EQ(Message(ChatTemplate().Render({}).status()), "messages is empty");
  EXPECT_EQ(Message(ChatTemplate().Render({{"assistant", "x"}}).status()),
            "the last message is of role \"assistant\", not \"user\"");
  EXPECT_EQ(Message(ChatTemplate().Render({{"tool", "x"}, {"user", "y"}}).status()),
            "messages[0].role is \"tool\"; known: system, developer, user, assistant");
}

TEST(ChatTemplate, FromGenerationConfig_ReplacesOnlyWhatIsNamed) {
  const Json json = {{"rhodes_chat", {{"user", "<u>{content}"}, {"prompt", "<a>"}, {"stop", {"<u>"}}}}};
  const absl::StatusOr<ChatTemplate> form = ChatTemplate::FromGenerationConfig(json, "g.json");
  ASSERT_TRUE(form.ok());
  EXPECT_EQ(*form->Render({{"system", "s"}, {"user", "q"}}), "s\n\n<u>q<a>");
  EXPECT_THAT(form->stop, testing::ElementsAre("<u>"));
  EXPECT_EQ(ChatTemplate::FromGenerationConfig({{"eos_token_id", 0}}, "g")->prompt, "Answer:");
}

TEST(ChatTemplate, FromGenerationConfig_NamesWhatIsWrong) {
  for (const auto& [settings, message] :
       {std::pair<Json, std::string>{{{"user", "x"}}, "user has no {content}"},
        {{{"usr", "x"}}, "unknown key usr; known: system, user, assistant, prompt, stop"},
        {{{"prompt", 1}}, "prompt is not a string"},
        {{{"stop", "x"}}, "stop is not a list of strings"},
        {Json(3), "not an object"}}) {
    EXPECT_EQ(Message(ChatTemplate::FromGenerationConfig({{"rhodes_chat", settings}}, "g.json").status()),
              "g.json: rhodes_chat: " + message);
  }
}

}  // namespace
}  // namespace rhodes
