#include "controlplane/tls/authority.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "common/address.h"
#include "common/log.h"
#include "common/process.h"

namespace ec::tls {
namespace {

// Ten years. Clients' clocks may be late by a day.
constexpr long kValidSeconds = 10L * 365 * 24 * 3600;
constexpr long kClockSkewSeconds = 24L * 3600;
// As RFC 5280 has it: positive, and at most 20 bytes.
constexpr int kSerialBits = 159;
constexpr size_t kCommonNameMax = 64;

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Freed<X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Bignum = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

Status Unavailable(const std::string& what) {
  char reason[256] = "";
  if (const unsigned long error = ERR_get_error(); error != 0) {
    ERR_error_string_n(error, reason, sizeof(reason));
  }
  ERR_clear_error();
  return {Fault::kUnavailable, reason[0] == '\0' ? what : what + ": " + reason};
}

Key NewKey() { return Key(EVP_EC_gen("P-256")); }

std::string TextOf(BIO* bio) {
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(bio, &bytes);
  return length <= 0 ? std::string() : std::string(bytes, static_cast<size_t>(length));
}

std::string ToPem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  return PEM_write_bio_X509(bio.get(), certificate) == 1 ? TextOf(bio.get()) : std::string();
}

std::string ToPem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  const bool written =
      PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1;
  return written ? TextOf(bio.get()) : std::string();
}

bool SetSerial(X509* certificate) {
  const Bignum number(BN_new());
  return BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetSubject(X509* certificate, const std::string& common_name) {
  X509_NAME* const name = X509_get_subject_name(certificate);
  const auto add = [&](const char* field, const std::string& value) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), -1, 0) == 1;
  };
  return add("O", "emucache") && add("CN", common_name.substr(0, kCommonNameMax));
}

bool AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// Without names, dates and extensions.
X509Ptr NewCertificate(EVP_PKEY* key, const std::string& common_name) {
  X509Ptr certificate(X509_new());
  const bool made = certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                    SetSerial(certificate.get()) && X509_set_pubkey(certificate.get(), key) == 1 &&
                    SetSubject(certificate.get(), common_name) &&
                    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kClockSkewSeconds);
  return made ? std::move(certificate) : nullptr;
}

bool Sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
  return X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
         X509_sign(certificate, key, EVP_sha256()) != 0;
}

// "IP:127.0.0.1,DNS:localhost". A name that could be taken for more than one is left out.
std::string AlternativeNames(const std::vector<std::string>& names) {
  constexpr const char* kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  std::string text;
  for (const std::string& name : names) {
    if (name.empty() || name.find_first_not_of(kAllowed) != std::string::npos) continue;
    if (!text.empty()) text += ',';
    text += (ParseIp4(name) ? "IP:" : "DNS:") + name;
  }
  return text;
}

}  // namespace

struct Authority::Pair {
  Key key;
  X509Ptr certificate;
  std::string pem;  // the certificate
};

Authority::Authority(const std::string& dir)
    : directory_(dir + "/tls"), path_(directory_ + "/ca.pem") {}

Authority::~Authority() = default;

Status Authority::Open() {
  if (own_ != nullptr) return {};
  const std::string secret = directory_ + "/authority.pem";
  if (const auto text = ReadFile(secret)) {
    const Bio bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
    auto own = std::make_unique<Pair>();
    own->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
    own->certificate.reset(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!own->key || !own->certificate ||
        X509_check_private_key(own->certificate.get(), own->key.get()) != 1) {
      return Unavailable("The certificate authority in " + secret + " cannot be read");
    }
    own->pem = ToPem(own->certificate.get());
    own_ = std::move(own);
  } else if (errno != ENOENT) {
    return Unavailable("Cannot read " + secret + ": " + std::strerror(errno));
  } else {
    EC_RETURN_IF_ERROR(Make());
  }
  // What is for clients follows from it, and is put right if somebody has lost it.
  if (ReadFile(path_) == own_->pem) return {};
  if (!ReplaceFile(path_, own_->pem, true) || chmod(path_.c_str(), 0644) < 0) {
    LogWarning("certificate not written", {{"path", path_}, {"why", std::strerror(errno)}});
  }
  return {};
}

Status Authority::Make() {
  auto own = std::make_unique<Pair>();
  own->key = NewKey();
  if (!own->key) return Unavailable("The certificate authority's key cannot be made");
  own->certificate = NewCertificate(own->key.get(), "emucache certificate authority");
  X509* const certificate = own->certificate.get();
  const bool made =
      certificate != nullptr &&
      X509_gmtime_adj(X509_getm_notAfter(certificate), kValidSeconds) != nullptr &&
      AddExtension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      AddExtension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
      AddExtension(certificate, certificate, NID_subject_key_identifier, "hash") &&
      Sign(certificate, certificate, own->key.get());
  if (!made) return Unavailable("The certificate authority cannot be made");
  own->pem = ToPem(certificate);
  // In one file, so that there is never a key without its certificate.
  const std::string secret = directory_ + "/authority.pem";
  const bool there = mkdir(directory_.c_str(), 0700) == 0 || errno == EEXIST;
  if (!there || !ReplaceFile(secret, ToPem(own->key.get()) + own->pem, true)) {
    return Unavailable("Cannot write " + secret + ": " + std::strerror(errno));
  }
  LogInfo("certificate authority made", {{"path", path_}});
  own_ = std::move(own);
  return {};
}

Result<std::string> Authority::Own() {
  const std::lock_guard lock(mutex_);
  EC_RETURN_IF_ERROR(Open());
  return own_->pem;
}

Result<Certificate> Authority::Issue(const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  EC_RETURN_IF_ERROR(Open());
  X509* const issuer = own_->certificate.get();
  const Key key = NewKey();
  const X509Ptr holder = key ? NewCertificate(key.get(), names.front()) : nullptr;
  X509* const certificate = holder.get();
  const bool made =
      certificate != nullptr && X509_set1_notAfter(certificate, X509_get0_notAfter(issuer)) == 1 &&
      AddExtension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
      AddExtension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
      AddExtension(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
      AddExtension(certificate, issuer, NID_subject_key_identifier, "hash") &&
      AddExtension(certificate, issuer, NID_authority_key_identifier, "keyid:always") &&
      AddExtension(certificate, issuer, NID_subject_alt_name, AlternativeNames(names)) &&
      Sign(certificate, issuer, own_->key.get());
  if (!made) return Unavailable("A certificate cannot be made");
  return Certificate{ToPem(certificate), ToPem(key.get()), own_->pem};
}

}  // namespace ec::tls
