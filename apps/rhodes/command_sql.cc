// rhodes sql: questions to the one database.
#include <unistd.h>

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
  app.add_option("sql", flags->sql,
                 "a query over records, the sources by name, documents, corpus, dropped and entities")
      ->required();
  app.add_option("--format", flags->format, "table, csv, json or parquet (which keeps all types)")
      ->check(CLI::IsMember({"table", "csv", "json", "parquet"}))
      ->capture_default_str();
  return [flags](const CommonFlags& common, RunContext& context) -> absl::Status {
    if (!common.json && flags->format == "parquet" && isatty(STDOUT_FILENO) != 0) {
      return UsageError(
          "sql: Parquet is not for a terminal; write it to a file: rhodes sql ... --format parquet > FILE");
    }
    absl::Status written;
    RETURN_IF_ERROR(RunSql(
        flags->out, flags->sql, common.json ? "json" : flags->format,
        [&written](std::string_view piece) {
          if (written.ok()) written = WriteOutput(piece);
        },
        context));
    return written;
  };
}

const CommandRegistration kRegistration(
    {"sql", "ask the database with SQL (read-only)",
     "  rhodes sql out \"SELECT source, count(*) FROM records GROUP BY ALL\"\n"
     "  rhodes sql out \"SELECT reason, count(*) FROM dropped GROUP BY ALL ORDER BY 2 DESC\" --format csv\n"
     "  rhodes sql out \"SELECT id, time, text FROM records\" --format parquet > records.parquet\n"
     "  rhodes sql out \"SELECT file, \\\"begin\\\", \\\"end\\\" FROM records WHERE id = '...'\" --format json\n",
     25, &Setup});

}  // namespace
}  // namespace rhodes
