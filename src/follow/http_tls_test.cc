// HTTPS streams: whom they trust, and whom not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "follow/http_stream.h"

namespace rhodes {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

// A server with a certificate that it has signed itself, for one name.
class TlsServer {
 public:
  TlsServer(const std::string& name, const std::string& file, long valid_seconds = 3600) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate), valid_seconds);
    X509_set_pubkey(certificate, key);
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, ("DNS:" + name).c_str());
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());
    std::FILE* out = std::fopen(file.c_str(), "wb");
    PEM_write_X509(out, certificate);
    std::fclose(out);
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context_, certificate);
    SSL_CTX_use_PrivateKey(context_, key);
    X509_free(certificate);
    EVP_PKEY_free(key);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(listener_, 8) == 0 &&
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
      port_ = ntohs(address.sin_port);
    }
    thread_ = std::thread([this] { Serve(); });
  }
  ~TlsServer() {
    stopped_ = true;
    thread_.join();
    ::close(listener_);
    SSL_CTX_free(context_);
  }
  int port() const { return port_; }

 private:
  void Serve() {
    while (!stopped_) {
      pollfd entry = {listener_, POLLIN, 0};
      if (::poll(&entry, 1, 20) <= 0) continue;
      const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      const timeval patience = {2, 0};
      ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
      SSL* ssl = SSL_new(context_);
      SSL_set_fd(ssl, descriptor);
      char request[4096];
      if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0) {
        const std::string answer = "HTTP/1.1 200 OK\r\n\r\n{\"id\":\"1\",\"text\":\"over TLS\"}\n";
        SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
        SSL_shutdown(ssl);
      }
      SSL_free(ssl);
      ::close(descriptor);
    }
  }

  SSL_CTX* context_ = nullptr;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

// The first record's text, or what the trouble is.
std::string TextOrTrouble(int port, const std::string& query) {
  const auto url = ParseStreamUrl(fmt::format("https://localhost:{}/?format=jsonl{}", port, query));
  HttpStreamTiming timing;
  timing.network_pause = milliseconds(20);
  auto stream = OpenHttpStream(*url, nullptr, {std::make_shared<ReadOptions>(), 1 << 20}, timing);
  if (!stream.ok()) return Message(stream.status());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < end) {
    auto next = (*stream)->Next(milliseconds(10));
    if (!next.ok()) return Message(next.status());
    if (next->has_value()) return (*next)->parsed.records.at(0).text;
    if (const std::string trouble = (*stream)->health().trouble; !trouble.empty()) return trouble;
  }
  return "nothing happened";
}

TEST(HttpTls, TrustsItsAuthoritiesAndNobodyElse) {
  signal(SIGPIPE, SIG_IGN);  // of the test's server, whose clients leave it
  const std::string file = ::testing::TempDir() + "/http_tls_test.pem";
  TlsServer server("localhost", file);
  EXPECT_EQ(TextOrTrouble(server.port(), "&ca_file=" + file), "over TLS");
  EXPECT_THAT(TextOrTrouble(server.port(), ""), HasSubstr("certificate verify failed"));
}

TEST(HttpTls, RefusesCertificatesOfOtherNamesAndOldOnes) {
  const std::string file = ::testing::TempDir() + "/http_tls_test.pem";
  {
    TlsServer other("elsewhere.example", file);
    EXPECT_THAT(TextOrTrouble(other.port(), "&ca_file=" + file), HasSubstr("certificate verify failed"));
  }
  TlsServer old("localhost", file, -3600);
  EXPECT_THAT(TextOrTrouble(old.port(), "&ca_file=" + file), HasSubstr("certificate verify failed"));
  std::ofstream(file, std::ios::trunc) << "no certificate";
  EXPECT_THAT(TextOrTrouble(old.port(), "&ca_file=" + file), HasSubstr("ca_file " + file));
}

}  // namespace
}  // namespace rhodes
