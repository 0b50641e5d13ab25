// rhodes sql: questions to the one database.
#include <cstdio>

#include "command.h"
#include "store/sql.h"

namespace rhodes {
namespace {

struct Flags {
  std::string out;
  std::string sql;
  std::string format = "table";
};

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  app.add_option("out", flags->out, "the folder that holds the records")->required();
  app.add_option("sql", flags->sql, "a query over records, the sources by name, documents, corpus and dropped")
      ->required();
  app.add_option("--format", flags->format, "table, csv or json")
      ->check(CLI::IsMember({"table", "csv", "json"}))
      ->capture_default_str();
  return [flags](const CommonFlags& common, RunContext& context) -> absl::Status {
    return RunSql(
        flags->out, flags->sql, common.json ? "json" : flags->format,
        [](std::string_view piece) { std::fwrite(piece.data(), 1, piece.size(), stdout); }, context);
  };
}

const CommandRegistration kRegistration(
    {"sql", "ask the database with SQL (read-only)",
     "  rhodes sql out \"SELECT source, count(*) FROM records GROUP BY ALL\"\n"
     "  rhodes sql out \"SELECT reason, count(*) FROM dropped GROUP BY ALL ORDER BY 2 DESC\" --format csv\n"
     "  rhodes sql out \"SELECT file, \\\"begin\\\", \\\"end\\\" FROM records WHERE id = '...'\" --format json\n",
     25, &Setup});

}  // namespace
}  // namespace rhodes
