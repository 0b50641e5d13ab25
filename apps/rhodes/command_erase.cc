// rhodes erase: what somebody has a right to have forgotten goes, with a receipt.
#include <fmt/format.h>

#include <memory>

#include "command.h"
#include "project/erase.h"
#include "project/erase_proof.h"

namespace rhodes {
namespace {

struct Flags {
  EraseOptions options;
  std::string verify;
};

absl::Status Verify(const Flags& flags, const CommonFlags& common, RunContext& context) {
  ASSIGN_OR_RETURN(const Json result, VerifyReceipt(flags.options.out, flags.verify, context));
  if (common.json) {
    PrintJson(result);
  } else {
    fmt::print("{}", FormatVerification(result));
  }
  return result["ok"].get<bool>() ? absl::OkStatus()
                                  : RejectedError(fmt::format("erase: {}: the receipt does not hold", flags.verify));
}

absl::Status Resume(const Flags& flags, const CommonFlags& common, RunContext& context) {
  ASSIGN_OR_RETURN(const Json receipt, ResumeErasure(flags.options.out, context));
  if (receipt.is_null()) {
    return UsageError("erase: name one of --author, --device, --source, --record and --verify");
  }
  if (common.json) {
    PrintJson(receipt);
  } else {
    fmt::print("{}", FormatReceipt(receipt, ""));
  }
  return absl::OkStatus();
}

CommandBody Setup(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  EraseOptions& options = flags->options;
  app.add_option("OUT", options.out, "the output folder")->required();
  app.add_option("--author", options.selector.author, "everything by this author, reposts of it, and quotations");
  app.add_option("--device", options.selector.device, "everything of this device: a VIN, a dish's id");
  app.add_option("--source", options.selector.source, "everything of this source");
  app.add_option("--record", options.selector.records, "a record by its id; may be given several times");
  app.add_option("--receipt", options.receipt, "where the receipt goes (default: OUT/erasures/TIME.json)");
  app.add_option("--verify", flags->verify, "check this receipt against OUT: nothing of it is there");
  app.add_flag("--dry-run", options.dry_run, "say what would go, change nothing");
  return [flags](const CommonFlags& common, RunContext& context) -> absl::Status {
    const EraseSelector& selector = flags->options.selector;
    const bool selects =
        !selector.author.empty() || !selector.device.empty() || !selector.source.empty() || !selector.records.empty();
    if (!flags->verify.empty()) {
      if (selects) return UsageError("erase: --verify stands alone");
      return Verify(*flags, common, context);
    }
    if (!selects) return Resume(*flags, common, context);
    ASSIGN_OR_RETURN(const Json receipt, Erase(flags->options, context));
    if (common.json) {
      PrintJson(receipt);
    } else {
      fmt::print("{}", FormatReceipt(receipt, flags->options.receipt));
    }
    return absl::OkStatus();
  };
}

const CommandRegistration kRegistration(
    {"erase", "forget an author, a device, a source or a record, everywhere, with a receipt",
     "  rhodes erase out --author \"Person Name\" --receipt receipt.json\n"
     "  rhodes erase out --author \"Person Name\" --dry-run\n"
     "  rhodes erase out --device 5YJ3E1EA7KF000001 --receipt receipt.json\n"
     "  rhodes erase out --source posts --receipt receipt.json\n"
     "  rhodes erase out --record 0123456789abcdef0123456789abcdef --receipt receipt.json\n"
     "  rhodes erase out --verify receipt.json\n",
     27, &Setup});

}  // namespace
}  // namespace rhodes
