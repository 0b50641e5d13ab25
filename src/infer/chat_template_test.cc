#include "infer/chat_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "token/tokenizer_file.h"

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

// What transformers makes of the Jinja template that stands in the model's folder (bench/peers/chat_template.py).
TEST(ChatTemplate, Render_IsByteForByteTheJinjaTemplateOfTheModelFolder) {
  const Json goldens = *ReadJsonFile(std::string(RHODES_SOURCE_DIR) + "/src/infer/testdata/chat_goldens.json");
  EXPECT_EQ(goldens.at("template"), PlainChatTemplate());
  ASSERT_GE(goldens.at("cases").size(), 6u);
  for (const Json& one : goldens.at("cases")) {
    std::vector<ChatMessage> messages;
    for (const Json& message : one.at("messages")) messages.push_back({message.at("role"), message.at("content")});
    EXPECT_EQ(*ChatTemplate().Render(messages), one.at("text").get<std::string>());
  }
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
        {{{"usr", "x"}}, "unknown key usr; known: system, user, assistant, prompt, stop, special"},
        {{{"prompt", 1}}, "prompt is not a string"},
        {{{"stop", "x"}}, "stop is not a list of strings"},
        {{{"special", 1}}, "special is not true or false"},
        {Json(3), "not an object"}}) {
    EXPECT_EQ(Message(ChatTemplate::FromGenerationConfig({{"rhodes_chat", settings}}, "g.json").status()),
              "g.json: rhodes_chat: " + message);
  }
}

// The templates' own text, shortened to what the tokens stand in.
TEST(ChatTemplate, FromJinja_KnowsTheFormsOfReleasedModels) {
  const auto render = [](std::string_view jinja) {
    return *ChatTemplate::FromJinja(jinja)->Render({{"system", "S"}, {"user", "U"}, {"assistant", "A"}, {"user", "V"}});
  };
  EXPECT_EQ(
      render("{% for m in messages %}{{'<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>'}}{% endfor %}"),
      "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n"
      "<|im_start|>user\nV<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(render("{{ '<|start_header_id|>' + role + '<|end_header_id|>' + content + '<|eot_id|>' }}"),
            "<|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nU"
            "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nA<|eot_id|><|start_header_id|>user"
            "<|end_header_id|>\n\nV<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
  EXPECT_EQ(render("{{ 'Human: ' + content + '<|separator|>\n\n' }}"),
            "System: S<|separator|>\n\nHuman: U<|separator|>\n\nAssistant: A<|separator|>\n\nHuman: V<|separator|>\n\n"
            "Assistant:");
  EXPECT_FALSE(ChatTemplate::FromJinja(PlainChatTemplate()).has_value());
}

}  // namespace
}  // namespace rhodes
