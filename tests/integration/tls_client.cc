#include "tests/integration/tls_client.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "common/tcp_socket.h"

namespace ec::integration {
namespace {

constexpr int kPatienceMilliseconds = 10'000;

}  // namespace

TlsClient::TlsClient(const v1::Endpoint& endpoint, const std::string& authority,
                     const std::string& name)
    : context_(SSL_CTX_new(TLS_client_method())) {
  signal(SIGPIPE, SIG_IGN);
  const Address address{*ParseIp4(endpoint.address()), static_cast<uint16_t>(endpoint.port())};
  fd_ = ConnectTcp(address, *ParseIp4("127.0.0.1"));
  pollfd made{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
  poll(&made, 1, kPatienceMilliseconds);
  fcntl(fd_.get(), F_SETFL, fcntl(fd_.get(), F_GETFL) & ~O_NONBLOCK);
  const timeval patience{kPatienceMilliseconds / 1000, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  ssl_.reset(SSL_new(context_.get()));
  shaken_ = Trust(authority, name.empty() ? endpoint.address() : name) &&
            SSL_set_fd(ssl_.get(), fd_.get()) == 1 && SSL_connect(ssl_.get()) == 1;
  if (shaken_) return;
  const long verdict = SSL_get_verify_result(ssl_.get());
  trouble_ = verdict == X509_V_OK ? "no handshake" : X509_verify_cert_error_string(verdict);
  ERR_clear_error();
}

bool TlsClient::Trust(const std::string& authority, const std::string& name) {
  BIO* const bio = BIO_new_mem_buf(authority.data(), static_cast<int>(authority.size()));
  X509* const certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  if (certificate == nullptr) return false;
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), certificate);
  X509_free(certificate);
  // As the strictest of clients do (Python 3.13).
  X509_VERIFY_PARAM* const wanted = SSL_get0_param(ssl_.get());
  X509_VERIFY_PARAM_set_flags(wanted, X509_V_FLAG_X509_STRICT | X509_V_FLAG_PARTIAL_CHAIN);
  return ParseIp4(name) ? X509_VERIFY_PARAM_set1_ip_asc(wanted, name.c_str()) == 1
                        : X509_VERIFY_PARAM_set1_host(wanted, name.c_str(), 0) == 1;
}

std::string TlsClient::Bytes(size_t count) {
  std::string bytes(count, '\0');
  size_t got = 0;
  while (got < count) {
    const int more = SSL_read(ssl_.get(), bytes.data() + got, static_cast<int>(count - got));
    if (more <= 0) {
      shaken_ = false;
      return {};
    }
    got += static_cast<size_t>(more);
  }
  return bytes;
}

std::string TlsClient::Line() {
  std::string line;
  while (shaken_ && !line.ends_with("\r\n")) line += Bytes(1);
  return shaken_ ? line.substr(0, line.size() - 2) : std::string();
}

std::string TlsClient::Do(const std::vector<std::string>& words) {
  std::string request = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    request += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  if (!shaken_ || SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size())) <= 0) {
    return "(gone)";
  }
  std::string line = Line();
  if (!shaken_ || line.empty()) return "(gone)";
  if (line[0] != '$') return line.substr(1);
  if (line == "$-1") return "(nil)";
  const size_t length = std::stoul(line.substr(1));
  const std::string text = Bytes(length + 2);
  return shaken_ ? text.substr(0, length) : "(gone)";
}

}  // namespace ec::integration
