#include "project/erase_proof.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "base/file.h"
#include "base/hash.h"
#include "project/document_counts.h"
#include "project/out_tables.h"
#include "store/membership.h"
#include "store/source_directory.h"
#include "token/shards.h"
#include "trace/index_files.h"

namespace rhodes {
namespace {

std::string Hex(const Sha256Digest& digest) {
  return ToHex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::optional<Sha256Digest> DigestOfHex(std::string_view hex) {
  Sha256Digest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  for (size_t i = 0; i < digest.size(); ++i) {
    const int high = digit(hex[2 * i]);
    const int low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest[i] = static_cast<unsigned char>(16 * high + low);
  }
  return digest;
}

// A neighbour as a receipt names it, checked against the root.
struct Neighbour {
  MerkleLeaf leaf{};
  uint64_t index = 0;
};
absl::StatusOr<std::optional<Neighbour>> ReadNeighbour(const Json& json, uint64_t leaves, const Sha256Digest& root) {
  if (json.is_null()) return std::optional<Neighbour>();
  Neighbour neighbour;
  neighbour.leaf = LeafOfId(json.at("id").get<std::string>());
  neighbour.index = json.at("index").get<uint64_t>();
  std::vector<Sha256Digest> path;
  for (const Json& hash : json.at("path")) {
    const std::optional<Sha256Digest> digest = DigestOfHex(hash.get_ref<const std::string&>());
    if (!digest) return absl::InvalidArgumentError("a hash of a path is not 64 hexadecimal digits");
    path.push_back(*digest);
  }
  if (!VerifyMerklePath(neighbour.leaf, neighbour.index, leaves, path, root)) {
    return absl::InvalidArgumentError(
        fmt::format("the path of {} does not lead to the root", json.at("id").get<std::string>()));
  }
  return std::optional<Neighbour>(neighbour);
}

absl::Status CheckProof(const Json& proof, uint64_t leaves, const Sha256Digest& root) {
  const std::string id = proof.at("id").get<std::string>();
  const MerkleLeaf leaf = LeafOfId(id);
  ASSIGN_OR_RETURN(const std::optional<Neighbour> left, ReadNeighbour(proof.at("left"), leaves, root));
  ASSIGN_OR_RETURN(const std::optional<Neighbour> right, ReadNeighbour(proof.at("right"), leaves, root));
  if (!left && !right) {
    return leaves == 0 && root == Sha256("") ? absl::OkStatus()
                                             : absl::InvalidArgumentError(id + ": no neighbours, yet there are leaves");
  }
  const bool ordered = (!left || left->leaf < leaf) && (!right || leaf < right->leaf);
  const bool adjacent = left && right ? left->index + 1 == right->index
                        : left        ? left->index + 1 == leaves
                                      : right->index == 0;
  if (!ordered || !adjacent) return absl::InvalidArgumentError(id + ": its neighbours are not those beside it");
  return absl::OkStatus();
}

class Verifier {
 public:
  Verifier(const std::string& out, const Json& receipt, RunContext& context)
      : out_(out), receipt_(receipt), context_(context) {}

  absl::StatusOr<Json> Run() {
    for (const Json& id : receipt_.at("records")) records_.Insert(KeyOfId(id.get_ref<const std::string&>()));
    for (const Json& id : receipt_.at("masked")) masked_.Insert(KeyOfId(id.get_ref<const std::string&>()));
    for (const Json& id : receipt_.at("documents")) documents_.Insert(KeyOfId(id.get_ref<const std::string&>()));
    CheckProofs();
    RETURN_IF_ERROR(CheckRecords());
    RETURN_IF_ERROR(CheckDuplicates());
    RETURN_IF_ERROR(CheckDocuments());
    RETURN_IF_ERROR(CheckShards());
    RETURN_IF_ERROR(CheckTrace());
    RETURN_IF_ERROR(CheckRoot());
    return Json{{"ok", ok_}, {"time", receipt_.value("time", "")}, {"checks", std::move(checks_)}};
  }

 private:
  void Add(const char* what, bool ok, std::string detail) {
    ok_ &= ok;
    checks_.push_back({{"what", what}, {"ok", ok}, {"detail", std::move(detail)}});
  }

  void CheckProofs() {
    const Json& merkle = receipt_.at("merkle");
    const auto leaves = merkle.at("after").at("leaves").get<uint64_t>();
    const std::optional<Sha256Digest> root = DigestOfHex(merkle.at("after").at("root").get<std::string>());
    if (!root) return Add("proofs", false, "the root is not 64 hexadecimal digits");
    uint64_t proved = 0;
    for (const Json& proof : merkle.at("absent")) {
      const absl::Status status = CheckProof(proof, leaves, *root);
      if (!status.ok()) return Add("proofs", false, Message(status));
      ++proved;
    }
    Add("proofs", true,
        fmt::format("{} of {} records proved absent from {} under the receipt's root", proved,
                    receipt_.at("records").size(), leaves));
  }

  // Rows of `path` where `predicate` holds; rhodes_gone, rhodes_quotes and rhodes_documents tell the receipt's ids.
  absl::StatusOr<uint64_t> Count(const std::string& path, const std::string& predicate) const {
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, Database::Open({}));
    RETURN_IF_ERROR(RegisterIdSet(*database, "rhodes_gone", &records_));
    RETURN_IF_ERROR(RegisterIdSet(*database, "rhodes_quotes", &masked_));
    RETURN_IF_ERROR(RegisterIdSet(*database, "rhodes_documents", &documents_));
    absl::StatusOr<uint64_t> count = database->QueryCount(
        fmt::format("SELECT count(*) FROM read_parquet({}) WHERE {}", SqlLiteral(path), predicate));
    return count.ok() ? std::move(count) : Annotate(count.status(), path);
  }

  absl::Status CheckRecords() {
    ASSIGN_OR_RETURN(sources_, ListSourceTables(out_));
    uint64_t found = 0;
    uint64_t quotes = 0;
    std::string where;
    for (const SourceTable& source : sources_) {
      ASSIGN_OR_RETURN(const SourceManifest manifest, ReadSourceManifest(source.directory));
      for (const PartInfo& part : manifest.parts) {
        RETURN_IF_ERROR(context_.CheckCancelled());
        const std::string path = source.directory + "/" + part.file;
        ASSIGN_OR_RETURN(const uint64_t here, Count(path, "rhodes_gone(id)"));
        if (here > 0) where += " " + path;
        found += here;
        if (masked_.size() == 0) continue;
        ASSIGN_OR_RETURN(
            const uint64_t unmasked,
            Count(path, "rhodes_quotes(id) AND (fields['quote_text'] IS NOT NULL OR original IS NOT NULL)"));
        if (unmasked > 0) where += " " + path;
        quotes += unmasked;
      }
    }
    Add("records", found == 0,
        found == 0 ? "none of the records is there" : fmt::format("{} are there, in{}", found, where));
    if (masked_.size() > 0) {
      Add("quotations", quotes == 0,
          quotes == 0 ? "none is readable" : fmt::format("{} are readable, in{}", quotes, where));
    }
    return absl::OkStatus();
  }

  absl::Status CheckDuplicates() {
    uint64_t found = 0;
    for (const SourceTable& source : sources_) {
      const std::string path = source.directory + "/" + kDuplicatesFile;
      if (!PathExists(path)) continue;
      ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
      constexpr std::string_view kBegin = "{\"id\":\"";
      for (size_t at = file.bytes().find(kBegin); at != std::string_view::npos;
           at = file.bytes().find(kBegin, at + 1)) {
        found += records_.Contains(KeyOfId(file.bytes().substr(at + kBegin.size(), 32)));
      }
    }
    Add("duplicates", found == 0, found == 0 ? "no log names one of them" : fmt::format("{} lines name them", found));
    return absl::OkStatus();
  }

  absl::Status CheckDocuments() {
    ASSIGN_OR_RETURN(folders_, ListDocumentFolders(out_));
    uint64_t found = 0;
    std::string where;
    for (const DocumentFolder& folder : folders_) {
      for (const std::string& part : folder.parts) {
        RETURN_IF_ERROR(context_.CheckCancelled());
        const std::string path = folder.directory + "/" + part;
        ASSIGN_OR_RETURN(const uint64_t here, Count(path, "rhodes_gone(parents) OR rhodes_documents(id)"));
        if (here > 0) where += " " + path;
        found += here;
      }
    }
    Add("documents", found == 0,
        found == 0 ? fmt::format("none is made from them, in {} folders", folders_.size())
                   : fmt::format("{} are made from them, in{}", found, where));
    return absl::OkStatus();
  }

  // The lineage counts in the rows of a folder that was looked at.
  absl::Status CheckShards() {
    if (!PathExists(out_ + "/shards")) return absl::OkStatus();
    ASSIGN_OR_RETURN(const std::string folder, FolderOfShards(out_, folders_));
    Add("shards", !folder.empty(),
        folder.empty() ? "no folder of documents has as many rows as the shards were made from"
                       : fmt::format("made from {}, which holds none", folder));
    return absl::OkStatus();
  }

  absl::Status CheckTrace() {
    const std::string path = out_ + "/trace/documents.bin";
    if (!PathExists(path)) return absl::OkStatus();
    const absl::StatusOr<DocumentTable> table = DocumentTable::Open(path);
    if (!table.ok()) {
      Add("trace", false, Message(table.status()));
      return absl::OkStatus();
    }
    uint64_t found = 0;
    for (uint64_t d = 0; d < table->size(); ++d) {
      const std::vector<std::string> parents = table->Parents(d);
      found += documents_.Contains(KeyOfId(table->Id(d))) ||
               std::any_of(parents.begin(), parents.end(),
                           [&](const std::string& id) { return records_.Contains(KeyOfId(id)); });
    }
    Add("trace", found == 0, found == 0 ? "the index names none" : fmt::format("the index names {} of them", found));
    return absl::OkStatus();
  }

  absl::Status CheckRoot() {
    ASSIGN_OR_RETURN(const std::vector<MerkleLeaf> leaves, RecordLeaves(out_, context_));
    const Json& after = receipt_.at("merkle").at("after");
    const bool same = Hex(ProveMerkle(leaves, {}).root) == after.at("root").get<std::string>();
    Add("root", true,
        same ? fmt::format("that of the {} records of OUT", leaves.size())
             : fmt::format("of an older state: OUT had {} records then and has {} now; absence was checked in what it "
                           "has now",
                           after.at("leaves").get<uint64_t>(), leaves.size()));
    return absl::OkStatus();
  }

  const std::string& out_;
  const Json& receipt_;
  RunContext& context_;
  IdSet records_;
  IdSet masked_;
  IdSet documents_;
  std::vector<SourceTable> sources_;
  std::vector<DocumentFolder> folders_;
  bool ok_ = true;
  Json checks_ = Json::array();
};

}  // namespace

Json ProveAbsence(std::span<const MerkleLeaf> leaves, const std::vector<std::string>& ids, uint64_t most) {
  const size_t count = std::min<size_t>(ids.size(), most);
  std::vector<uint64_t> after(count);  // how many leaves stand before each
  std::vector<uint64_t> wanted;
  for (size_t i = 0; i < count; ++i) {
    after[i] = static_cast<uint64_t>(std::lower_bound(leaves.begin(), leaves.end(), LeafOfId(ids[i])) - leaves.begin());
    if (after[i] > 0) wanted.push_back(after[i] - 1);
    if (after[i] < leaves.size()) wanted.push_back(after[i]);
  }
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  const MerkleProofs proofs = ProveMerkle(leaves, wanted);
  const auto neighbour = [&](uint64_t index) {
    const auto at = static_cast<size_t>(std::lower_bound(wanted.begin(), wanted.end(), index) - wanted.begin());
    Json path = Json::array();
    for (const Sha256Digest& hash : proofs.paths[at]) path.push_back(Hex(hash));
    return Json{{"id", IdOfLeaf(leaves[index])}, {"index", index}, {"path", std::move(path)}};
  };
  Json absent = Json::array();
  for (size_t i = 0; i < count; ++i) {
    absent.push_back({{"id", ids[i]},
                      {"left", after[i] > 0 ? neighbour(after[i] - 1) : Json()},
                      {"right", after[i] < leaves.size() ? neighbour(after[i]) : Json()}});
  }
  return {{"after", {{"root", Hex(proofs.root)}, {"leaves", leaves.size()}}}, {"absent", std::move(absent)}};
}

absl::StatusOr<Json> VerifyReceipt(const std::string& out, const std::string& receipt, RunContext& context) {
  if (!PathExists(out)) return absl::NotFoundError(fmt::format("erase: {} is not there", out));
  ASSIGN_OR_RETURN(const Json json, ReadJsonFile(receipt));
  if (!json.is_object() || json.value("format", "") != kReceiptFormat) {
    return absl::InvalidArgumentError(fmt::format("{}: not a receipt of `rhodes erase`", receipt));
  }
  try {
    ASSIGN_OR_RETURN(Json result, Verifier(out, json, context).Run());
    result["receipt"] = receipt;
    return result;
  } catch (const Json::exception& error) {
    return absl::InvalidArgumentError(fmt::format("{}: {}", receipt, error.what()));
  }
}

std::string FormatVerification(const Json& verification) {
  std::string text;
  for (const Json& check : verification["checks"]) {
    text += fmt::format("{:<6} {:<12} {}\n", check.value("ok", false) ? "holds" : "FAILS", check.value("what", ""),
                        check.value("detail", ""));
  }
  return text;
}

}  // namespace rhodes
