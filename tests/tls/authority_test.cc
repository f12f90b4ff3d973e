// The certificate authority: what it signs, and that it stays who it is.
#include "controlplane/tls/authority.h"

#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <thread>

#include "common/process.h"

namespace ec::tls {
namespace {

using ::testing::HasSubstr;

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

X509Ptr CertificateIn(const std::string& pem) {
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509Ptr certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), X509_free);
  BIO_free(bio);
  return certificate;
}

Key KeyIn(const std::string& pem) {
  BIO* const bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Key key(PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr), EVP_PKEY_free);
  BIO_free(bio);
  return key;
}

// As the strictest of clients judges a server's; "ok", or why not.
std::string Verdict(const std::string& certificate, const std::string& authority,
                    int purpose = X509_PURPOSE_SSL_SERVER) {
  const X509Ptr trusted = CertificateIn(authority);
  const X509Ptr shown = CertificateIn(certificate);
  X509_STORE* const store = X509_STORE_new();
  X509_STORE_add_cert(store, trusted.get());
  X509_STORE_CTX* const context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, shown.get(), nullptr);
  X509_STORE_CTX_set_purpose(context, purpose);
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_X509_STRICT);
  X509_verify_cert(context);
  const std::string verdict = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return verdict;
}

class AuthorityTest : public ::testing::Test {
 protected:
  AuthorityTest() {
    char name[] = "/tmp/authority_test.XXXXXX";
    dir_ = mkdtemp(name);
  }
  ~AuthorityTest() override { std::filesystem::remove_all(dir_); }
  std::string Secret() const { return dir_ + "/tls/authority.pem"; }

  std::string dir_;
};

TEST_F(AuthorityTest, SignsForAllOfTheNamesAndForNoOther) {
  Authority authority(dir_);
  const Result<Certificate> made = authority.Issue({"127.10.0.4", "10.0.0.4", "cache.example"});
  ASSERT_TRUE(made.ok()) << made.status().message();
  EXPECT_EQ(Verdict(made->certificate, made->authority), "ok");
  EXPECT_EQ(Verdict(made->certificate, made->authority, X509_PURPOSE_SSL_CLIENT), "ok");
  const X509Ptr shown = CertificateIn(made->certificate);
  EXPECT_EQ(X509_check_ip_asc(shown.get(), "127.10.0.4", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(shown.get(), "10.0.0.4", 0), 1);
  EXPECT_EQ(X509_check_host(shown.get(), "cache.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(shown.get(), "127.10.0.5", 0), 0);
  EXPECT_EQ(X509_check_host(shown.get(), "example", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_private_key(shown.get(), KeyIn(made->key).get()), 1);
  EXPECT_EQ(authority.Own().ok() ? *authority.Own() : "", made->authority);
}

TEST_F(AuthorityTest, SignsNothingThatCouldSignForOthers) {
  Authority authority(dir_);
  const Result<Certificate> made = authority.Issue({"127.10.0.4"});
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(X509_check_ca(CertificateIn(made->certificate).get()), 0);
  EXPECT_EQ(X509_check_ca(CertificateIn(made->authority).get()), 1);
}

TEST_F(AuthorityTest, TakesANameForOneNameWhateverItIs) {
  Authority authority(dir_);
  const Result<Certificate> made = authority.Issue({"127.10.0.4", "a,IP:10.0.0.1", "b\nc", ""});
  ASSERT_TRUE(made.ok()) << made.status().message();
  const X509Ptr shown = CertificateIn(made->certificate);
  EXPECT_EQ(X509_check_ip_asc(shown.get(), "127.10.0.4", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(shown.get(), "10.0.0.1", 0), 0);
}

TEST_F(AuthorityTest, GivesEveryoneAKeyAndANumberOfItsOwn) {
  Authority authority(dir_);
  const Result<Certificate> one = authority.Issue({"127.10.0.4"});
  const Result<Certificate> other = authority.Issue({"127.10.0.4"});
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_NE(one->key, other->key);
  EXPECT_NE(ASN1_INTEGER_cmp(X509_get0_serialNumber(CertificateIn(one->certificate).get()),
                             X509_get0_serialNumber(CertificateIn(other->certificate).get())),
            0);
}

TEST_F(AuthorityTest, StaysWhoItIsAndKeepsItsKeyToItself) {
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/tls")) << "nobody has needed it yet";
  const Result<std::string> before = Authority(dir_).Own();
  ASSERT_TRUE(before.ok()) << before.status().message();
  struct stat secret {};
  ASSERT_EQ(stat(Secret().c_str(), &secret), 0);
  EXPECT_EQ(secret.st_mode & 0777, 0600u);
  EXPECT_THAT(*ReadFile(Secret()), HasSubstr("PRIVATE KEY"));
  std::filesystem::remove(dir_ + "/tls/ca.pem");
  Authority authority(dir_);
  EXPECT_EQ(*authority.Own(), *before);
  EXPECT_EQ(ReadFile(authority.path()), *before) << "what is for clients is put right";
  EXPECT_EQ(Verdict(authority.Issue({"127.10.0.4"})->certificate, *before), "ok");
}

TEST_F(AuthorityTest, IsNeverReplacedWhenItCannotBeRead) {
  std::filesystem::create_directory(dir_ + "/tls");
  ASSERT_TRUE(ReplaceFile(Secret(), "not a key", false));
  Authority authority(dir_);
  EXPECT_EQ(authority.Own().status().fault(), Fault::kUnavailable);
  EXPECT_THAT(authority.Issue({"127.10.0.4"}).status().message(), HasSubstr("cannot be read"));
  EXPECT_EQ(ReadFile(Secret()), "not a key");
}

TEST_F(AuthorityTest, SaysWhyItCannotBeWrittenDown) {
  std::filesystem::create_directory(dir_ + "/file");
  ASSERT_TRUE(ReplaceFile(dir_ + "/file/tls", "in its way", false));
  Authority authority(dir_ + "/file");
  EXPECT_THAT(authority.Own().status().message(), HasSubstr("Cannot"));
}

TEST_F(AuthorityTest, IsOneForAllThatAskAtOnce) {
  Authority authority(dir_);
  std::vector<std::string> seen(8);
  std::vector<std::thread> threads;
  for (std::string& own : seen) {
    threads.emplace_back([&] { own = authority.Issue({"127.10.0.4"})->authority; });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& own : seen) EXPECT_EQ(own, seen.front());
}

}  // namespace
}  // namespace ec::tls
