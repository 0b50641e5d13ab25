#include "follow/dish_client.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <map>
#include <vector>

#include "follow/reflection_answer.h"

namespace rhodes {
namespace {

namespace pb = google::protobuf;
using WallClock = std::chrono::system_clock;  // gRPC's deadlines are of this clock

constexpr char kService[] = "SpaceX.API.Device.Device";
constexpr char kMethod[] = "Handle";
constexpr const char* kReflections[] = {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                                        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"};
constexpr size_t kMostFiles = 500;
constexpr size_t kMostDescriptionBytes = size_t{32} << 20;

grpc::ByteBuffer BufferOf(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

absl::StatusOr<std::string> BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok()) return absl::DataLossError("the answer's bytes cannot be read");
  std::string bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

// gRPC's code and what to do about it are those of absl::StatusCode; all that may pass becomes UNAVAILABLE.
absl::Status StatusOf(const grpc::Status& status) {
  const std::string text = status.error_message().empty() ? "no reason given" : status.error_message();
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return absl::OkStatus();
    case grpc::StatusCode::UNIMPLEMENTED:
      return absl::UnimplementedError(text);
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return absl::PermissionDeniedError(text);
    default:
      return absl::UnavailableError(text);
  }
}

class FirstError final : public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string& file, const std::string& element, const pb::Message* /*descriptor*/,
                ErrorLocation /*location*/, const std::string& message) override {
    if (text.empty()) text = fmt::format("{}: {}: {}", file, element, message);
  }
  std::string text;
};

class Client final : public DishClient {
 public:
  explicit Client(const Settings& settings) : settings_(settings) {
    grpc::ChannelArguments arguments;
    // A channel of its own, so that a new client tries at once: pauses are the caller's to make.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // the dish is on the local network
    arguments.SetMaxReceiveMessageSize(static_cast<int>(std::min<uint64_t>(settings.most_bytes, INT32_MAX)));
    const bool v6 = settings.host.find(':') != std::string::npos;
    channel_ =
        grpc::CreateCustomChannel(fmt::format("{}{}{}:{}", v6 ? "[" : "", settings.host, v6 ? "]" : "", settings.port),
                                  grpc::InsecureChannelCredentials(), arguments);
    stub_ = std::make_unique<grpc::GenericStub>(channel_);
  }

  ~Client() override {
    if (context_) context_->TryCancel();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  absl::Status Describe() override {
    absl::Status status;
    for (const char* reflection : kReflections) {
      status = DescribeBy(reflection);
      if (!absl::IsUnimplemented(status)) break;
    }
    if (status.ok() || absl::IsUnavailable(status)) return status;
    if (absl::IsUnimplemented(status) || absl::IsPermissionDenied(status)) {
      return absl::FailedPreconditionError(
          fmt::format("the server does not describe its services (gRPC server reflection), which a dish does: {}",
                      Message(status)));
    }
    return status;
  }

  absl::Status Start(std::string_view member) override {
    const std::unique_ptr<pb::Message> request(messages_->GetPrototype(method_->input_type())->New());
    const pb::FieldDescriptor* field = method_->input_type()->FindFieldByName(std::string(member));
    if (field == nullptr || field->cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE || field->is_repeated()) {
      return absl::UnimplementedError(fmt::format("the dish knows no {}", member));
    }
    request->GetReflection()->MutableMessage(request.get(), field, messages_.get());
    std::string bytes;
    if (!request->SerializeToString(&bytes)) return absl::InternalError("a request cannot be written");
    NewContext();
    const std::string name = fmt::format("/{}/{}", kService, kMethod);
    call_ = stub_->PrepareUnaryCall(context_.get(), name, BufferOf(bytes), &queue_);
    call_->StartCall();
    answer_.Clear();
    call_status_ = grpc::Status();
    call_->Finish(&answer_, &call_status_, this);
    busy_ = true;
    return absl::OkStatus();
  }

  bool busy() const override { return busy_; }

  std::optional<Answer> Wait(WallClock::time_point until) override {
    void* tag = nullptr;
    bool ok = false;
    if (queue_.AsyncNext(&tag, &ok, until) != grpc::CompletionQueue::GOT_EVENT) return std::nullopt;
    busy_ = false;
    call_.reset();
    if (!call_status_.ok()) return Answer{StatusOf(call_status_), 0};
    return Answer{Json(), answer_.Length()};
  }

 private:
  void NewContext() {
    context_ = std::make_unique<grpc::ClientContext>();
    context_->set_deadline(WallClock::now() + settings_.call);
  }

  absl::StatusOr<std::string> Json() {
    ASSIGN_OR_RETURN(const std::string bytes, BytesOf(answer_));
    const std::unique_ptr<pb::Message> message(messages_->GetPrototype(method_->output_type())->New());
    if (!message->ParsePartialFromString(bytes)) {
      return absl::DataLossError(fmt::format("an answer that is no {}", method_->output_type()->full_name()));
    }
    std::string json;
    const auto status = pb::util::MessageToJsonString(*message, &json, pb::util::JsonPrintOptions());
    if (!status.ok()) return absl::DataLossError(fmt::format("an answer that has no JSON: {}", status.ToString()));
    return json;
  }

  // One operation of the reflection stream; false when it failed, and then Finish() tells why.
  bool Await() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;  // the context's deadline ends every operation
  }

  absl::Status DescribeBy(const std::string& reflection) {
    NewContext();
    const auto stream = stub_->PrepareCall(context_.get(), reflection, &queue_);
    stream->StartCall(this);
    absl::Status result;
    std::map<std::string, pb::FileDescriptorProto> files;
    if (Await()) {
      result = Fetch(*stream, ReflectionRequestOfSymbol(kService), files);
      if (result.ok()) result = FetchMissing(*stream, files);
      context_->TryCancel();  // all is said
    }
    grpc::Status end;
    stream->Finish(&end, this);
    Await();
    // Whether the server could be reached at all is in the call's own end.
    if (absl::IsCancelled(result) || (result.ok() && files.empty())) {
      const absl::Status why = StatusOf(end);
      return why.ok() ? absl::UnavailableError("reflection ended without an answer") : why;
    }
    RETURN_IF_ERROR(result);
    return Build(files);
  }

  // CANCELLED: the stream broke; its end says why.
  absl::Status Fetch(grpc::GenericClientAsyncReaderWriter& stream, const std::string& request,
                     std::map<std::string, pb::FileDescriptorProto>& files) {
    stream.Write(BufferOf(request), this);
    if (!Await()) return absl::CancelledError("");
    grpc::ByteBuffer buffer;
    stream.Read(&buffer, this);
    if (!Await()) return absl::CancelledError("");
    ASSIGN_OR_RETURN(const std::string bytes, BytesOf(buffer));
    described_bytes_ += bytes.size();
    absl::StatusOr<std::vector<std::string>> found = ReadReflectionAnswer(bytes);
    if (absl::IsNotFound(found.status())) {
      return absl::FailedPreconditionError(
          fmt::format("the server is no dish, it has no {}: {}", kService, Message(found.status())));
    }
    if (!found.ok()) return absl::UnavailableError(Message(found.status()));  // garbled on its way, perhaps
    for (const std::string& text : *found) {
      pb::FileDescriptorProto file;
      if (!file.ParseFromString(text)) return absl::UnavailableError("reflection: a file's description is broken");
      files.emplace(file.name(), std::move(file));
    }
    if (files.size() > kMostFiles || described_bytes_ > kMostDescriptionBytes) {
      return absl::FailedPreconditionError("the server's description of its services is too large");
    }
    return absl::OkStatus();
  }

  // Servers may send a file without those that it imports.
  absl::Status FetchMissing(grpc::GenericClientAsyncReaderWriter& stream,
                            std::map<std::string, pb::FileDescriptorProto>& files) {
    while (true) {
      std::string missing;
      for (const auto& [name, file] : files) {
        for (const std::string& dependency : file.dependency()) {
          if (!files.contains(dependency)) missing = dependency;
        }
      }
      if (missing.empty()) return absl::OkStatus();
      if (const pb::FileDescriptor* known = pb::DescriptorPool::generated_pool()->FindFileByName(missing)) {
        known->CopyTo(&files[missing]);
        continue;
      }
      RETURN_IF_ERROR(Fetch(stream, ReflectionRequestOfFile(missing), files));
      if (!files.contains(missing)) {
        return absl::FailedPreconditionError(fmt::format("the server does not describe {}, which it uses", missing));
      }
    }
  }

  absl::Status Build(const std::map<std::string, pb::FileDescriptorProto>& files) {
    messages_.reset();
    method_ = nullptr;
    pool_ = std::make_unique<pb::DescriptorPool>();
    // Each round builds the files whose imports are there; as many rounds as the imports are deep.
    for (size_t built = 0, before = files.size() + 1; built != before && built < files.size();) {
      before = built;
      built = 0;
      for (const auto& [name, file] : files) {
        const bool ready = std::all_of(file.dependency().begin(), file.dependency().end(),
                                       [&](const std::string& one) { return pool_->FindFileByName(one) != nullptr; });
        FirstError error;
        if (pool_->FindFileByName(name) == nullptr && ready && !pool_->BuildFileCollectingErrors(file, &error)) {
          return absl::FailedPreconditionError(fmt::format("the server's description is broken: {}", error.text));
        }
        if (pool_->FindFileByName(name) != nullptr) ++built;
      }
    }
    const pb::ServiceDescriptor* service = pool_->FindServiceByName(kService);
    method_ = service == nullptr ? nullptr : service->FindMethodByName(kMethod);
    if (method_ == nullptr || method_->client_streaming() || method_->server_streaming()) {
      return absl::FailedPreconditionError(fmt::format("the server is no dish: {} has no {}", kService, kMethod));
    }
    messages_ = std::make_unique<pb::DynamicMessageFactory>(pool_.get());
    return absl::OkStatus();
  }

  const Settings settings_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::GenericStub> stub_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<pb::DescriptorPool> pool_;
  std::unique_ptr<pb::DynamicMessageFactory> messages_;  // of pool_
  const pb::MethodDescriptor* method_ = nullptr;
  size_t described_bytes_ = 0;

  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> call_;
  grpc::ByteBuffer answer_;
  grpc::Status call_status_;
  bool busy_ = false;
};

}  // namespace

std::unique_ptr<DishClient> DishClient::Create(const Settings& settings) { return std::make_unique<Client>(settings); }

}  // namespace rhodes
