#include "entity/mention.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "base/hash.h"
#include "base/text.h"
#include "table/row_chunks.h"

namespace rhodes {
namespace {

constexpr uint64_t kBytesPerMention = 1000;  // besides its text: words, postings, candidates

// The columns of a `from`'s table, with their expressions.
struct Columns {
  std::vector<std::string> names;  // k0, ..., a0, ...
  std::vector<std::string> sql;
  std::vector<size_t> keys;        // of each k column: its place in EntityKind::keys
  std::vector<size_t> attributes;  // of each a column: its place in EntityKind::Attributes()
};

Columns ColumnsOf(const EntityKind& kind, const EntitySource& from) {
  Columns columns;
  const std::vector<std::string> attributes = kind.Attributes();
  const auto add = [&](char letter, size_t number, const std::string& sql) {
    columns.names.push_back(fmt::format("{}{}", letter, number));
    columns.sql.push_back(fmt::format("nullif(trim(CAST(({}) AS VARCHAR)), '')", sql));
  };
  for (const auto& [name, sql] : from.keys) {
    add('k', columns.keys.size(), sql);
    columns.keys.push_back(
        static_cast<size_t>(std::find(kind.keys.begin(), kind.keys.end(), name) - kind.keys.begin()));
  }
  for (const auto& [name, sql] : from.attributes) {
    add('a', columns.attributes.size(), sql);
    columns.attributes.push_back(
        static_cast<size_t>(std::find(attributes.begin(), attributes.end(), name) - attributes.begin()));
  }
  return columns;
}

std::string Joined(const std::vector<std::string>& names, std::string_view separator) {
  std::string joined;
  for (const std::string& name : names) {
    if (!joined.empty()) joined += separator;
    joined += name;
  }
  return joined;
}

// id, k0, ..., a0, ... of the records that mention something.
std::string SelectSql(const EntitySource& from, const Columns& columns) {
  std::string list;
  for (size_t i = 0; i < columns.names.size(); ++i) list += fmt::format(", {} AS {}", columns.sql[i], columns.names[i]);
  return fmt::format("SELECT * FROM (SELECT id{} FROM main.{}{}) WHERE coalesce({}) IS NOT NULL", list,
                     SqlIdentifier(from.source), from.where.empty() ? "" : fmt::format(" WHERE ({})", from.where),
                     Joined(columns.names, ", "));
}

std::string TableName(size_t number, size_t from) { return fmt::format("rhodes_mention_{}_{}", number, from); }

std::string IdOf(const EntityKind& kind, const Mention& mention, const std::vector<std::string>& attributes) {
  std::string values;
  for (size_t i = 0; i < kind.keys.size(); ++i) {
    if (!mention.keys[i].empty())
      values += fmt::format("k {} {}:{}", kind.keys[i], mention.keys[i].size(), mention.keys[i]);
  }
  for (size_t i = 0; i < attributes.size(); ++i) {
    if (mention.attributes[i].empty()) continue;
    values += fmt::format("a {} {}:{}", attributes[i], mention.attributes[i].size(), mention.attributes[i]);
  }
  return ContentId({kind.kind, mention.source, values});
}

class MentionReader {
 public:
  MentionReader(Database& database, const EntityKind& kind, size_t number, uint64_t memory_bytes)
      : database_(database), kind_(kind), number_(number), left_(memory_bytes), attributes_(kind.Attributes()) {}

  absl::StatusOr<Mentions> Run() {
    for (size_t from = 0; from < kind_.from.size(); ++from) {
      const absl::Status status = Read(from);
      if (status.ok()) continue;
      const std::string where = fmt::format("entity \"{}\", source \"{}\"", kind_.kind, kind_.from[from].source);
      if (absl::IsInvalidArgument(status)) return UsageError(fmt::format("{}: {}", where, Message(status)));
      return Annotate(status, where);
    }
    std::sort(mentions_.all.begin(), mentions_.all.end(),
              [](const Mention& a, const Mention& b) { return a.id < b.id; });
    return std::move(mentions_);
  }

 private:
  absl::Status Read(size_t from) {
    const Columns columns = ColumnsOf(kind_, kind_.from[from]);
    const std::string select = SelectSql(kind_.from[from], columns);
    RETURN_IF_ERROR(database_.RequireOneSelect(select));
    const std::string names = Joined(columns.names, ", ");
    const std::string counted = TableName(number_, from) + "_counted";
    RETURN_IF_ERROR(
        database_.Execute(fmt::format("CREATE TEMP TABLE {} AS SELECT {}, count(*)::UBIGINT AS records "
                                      "FROM ({}) GROUP BY ALL",
                                      counted, names, select)));
    ASSIGN_OR_RETURN(const uint64_t records, database_.QueryCount(fmt::format("SELECT count(*) FROM main.{}",
                                                                              SqlIdentifier(kind_.from[from].source))));
    mentions_.records += records;
    RETURN_IF_ERROR(Fetch(from, columns, names, counted));
    return database_.Execute(fmt::format("DROP TABLE {}", counted));
  }

  absl::Status Fetch(size_t from, const Columns& columns, const std::string& names, const std::string& counted) {
    std::string definition;
    for (const std::string& name : columns.names) definition += name + " VARCHAR, ";
    ASSIGN_OR_RETURN(const std::shared_ptr<const TableSchema> schema,
                     TableSchema::Parse(definition + "mention VARCHAR"));
    RowChunks chunks(schema);
    {
      ASSIGN_OR_RETURN(QueryResult rows,
                       database_.Query(fmt::format("SELECT {}, records FROM {} ORDER BY {}", names, counted, names)));
      while (true) {
        ASSIGN_OR_RETURN(const bool more, rows.Next());
        if (!more) break;
        for (size_t row = 0; row < rows.row_count(); ++row) RETURN_IF_ERROR(Take(from, columns, rows, row, chunks));
      }
    }
    mentions_.rows.push_back(chunks.row_count());
    const std::string function = TableName(number_, from) + "_rows";
    RETURN_IF_ERROR(chunks.Register(database_, function));
    return database_.Execute(
        fmt::format("CREATE TEMP TABLE {} AS SELECT * FROM {}()", TableName(number_, from), function));
  }

  absl::Status Take(size_t from, const Columns& columns, const QueryResult& rows, size_t row, RowChunks& chunks) {
    Mention mention;
    mention.source = kind_.from[from].source;
    mention.keys.resize(kind_.keys.size());
    mention.attributes.resize(attributes_.size());
    uint64_t bytes = kBytesPerMention;
    for (size_t i = 0; i < columns.names.size(); ++i) {
      if (rows.IsNull(i, row)) continue;
      std::string& value = i < columns.keys.size() ? mention.keys[columns.keys[i]]
                                                   : mention.attributes[columns.attributes[i - columns.keys.size()]];
      value = rows.String(i, row);
      bytes += 8 * value.size();
      chunks.SetString(i, value);
    }
    if (bytes > left_) {
      return absl::ResourceExhaustedError(
          "its mentions do not fit into the memory: give more with --memory, or fewer attributes, so that fewer sets "
          "of "
          "values are distinct");
    }
    left_ -= bytes;
    mention.records = rows.UInt64(columns.names.size(), row);
    mentions_.mentioning += mention.records;
    mention.id = IdOf(kind_, mention, attributes_);
    chunks.SetString(columns.names.size(), mention.id);
    chunks.EndRow();
    // Two `from` of one source may give the same values.
    const auto [it, added] = places_.try_emplace(mention.id, mentions_.all.size());
    if (added) {
      mentions_.all.push_back(std::move(mention));
    } else {
      mentions_.all[it->second].records += mention.records;
    }
    return absl::OkStatus();
  }

  Database& database_;
  const EntityKind& kind_;
  const size_t number_;
  uint64_t left_;
  const std::vector<std::string> attributes_;
  absl::flat_hash_map<std::string, size_t> places_;
  Mentions mentions_;
};

}  // namespace

absl::StatusOr<Mentions> ReadMentions(Database& database, const EntityKind& kind, size_t number,
                                      uint64_t memory_bytes) {
  return MentionReader(database, kind, number, memory_bytes).Run();
}

std::string RecordsSql(const EntityKind& kind, size_t number, size_t from) {
  const Columns columns = ColumnsOf(kind, kind.from[from]);
  std::string on;
  for (const std::string& name : columns.names) {
    on += fmt::format("{}r.{} IS NOT DISTINCT FROM m.{}", on.empty() ? "" : " AND ", name, name);
  }
  return fmt::format("SELECT r.id, m.mention FROM ({}) r JOIN temp.{} m ON {} ORDER BY r.id",
                     SelectSql(kind.from[from], columns), TableName(number, from), on);
}

}  // namespace rhodes
