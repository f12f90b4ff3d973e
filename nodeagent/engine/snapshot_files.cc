#include "nodeagent/engine/snapshot_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/crash_point.h"
#include "common/log.h"
#include "common/process.h"
#include "nodeagent/engine/rdb_check.h"
#include "nodeagent/engine/sha256.h"

namespace ec::engine {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr size_t kChunk = 256 << 10;

Status Unavailable(std::string message) { return {Fault::kUnavailable, std::move(message)}; }

Status Failed(std::string_view what) {
  return Unavailable(fmt::format("{}: {}", what, std::strerror(errno)));
}

// Removes the file unless it is kept.
class Attempt {
 public:
  explicit Attempt(std::string path) : path_(std::move(path)) {}
  ~Attempt() {
    if (!path_.empty()) unlink(path_.c_str());
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  void Keep() { path_.clear(); }

 private:
  std::string path_;
};

bool SyncDirectory(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd && fsync(fd.get()) == 0;
}

bool WriteAll(int fd, const char* bytes, size_t count) {
  while (count > 0) {
    const ssize_t written = write(fd, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes += written;
    count -= static_cast<size_t>(written);
  }
  return true;
}

struct Passed {
  std::string sha256;
  int64_t bytes = 0;
};

// Reads `from` to its end, and writes it to `to` unless that is negative.
Result<Passed> Pass(int from, int to, const SnapshotFiles::Progress& progress) {
  struct stat status {};
  if (fstat(from, &status) < 0 || !S_ISREG(status.st_mode)) {
    return Unavailable("it is not a regular file");
  }
  std::vector<char> buffer(kChunk);
  Sha256 sha;
  Passed passed;
  for (;;) {
    const ssize_t got = read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("it cannot be read");
    if (got == 0) break;
    sha.Add(buffer.data(), static_cast<size_t>(got));
    passed.bytes += got;
    if (to >= 0 && !WriteAll(to, buffer.data(), static_cast<size_t>(got))) {
      return Failed("it cannot be written");
    }
    const int64_t size = std::max<int64_t>(status.st_size, 1);
    if (progress &&
        !progress(static_cast<int>(std::min<int64_t>(passed.bytes * 100 / size, 100)))) {
      return Unavailable("it was given up");
    }
  }
  passed.sha256 = sha.Finish();
  return passed;
}

UniqueFd OpenToRead(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
}

UniqueFd CreateNew(const std::string& path) {
  unlink(path.c_str());
  return UniqueFd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
}

Status CheckBeginning(int fd) {
  char first[kRdbHeaderBytes];
  const ssize_t got = pread(fd, first, sizeof(first), 0);
  return CheckRdbHeader({first, static_cast<size_t>(std::max<ssize_t>(got, 0))});
}

// A path below a directory, without following a link out of it or anywhere else.
UniqueFd OpenBeneath(int directory, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(
      static_cast<int>(syscall(SYS_openat2, directory, path.c_str(), &how, sizeof(how))));
}

}  // namespace

std::string SnapshotFiles::PathOf(SnapshotFile file) const {
  return fmt::format("{}/{}.rdb", places_.snapshots, file);
}
std::string SnapshotFiles::SidecarOf(SnapshotFile file) const {
  return fmt::format("{}/{}.json", places_.snapshots, file);
}
std::string SnapshotFiles::PartOf(SnapshotFile file) const {
  return fmt::format("{}/{}.{}.part", places_.snapshots, file, places_.host);
}

Status SnapshotFiles::MakeDirectory() const {
  if (places_.snapshots.empty()) return Unavailable("this host has no directory for snapshots");
  std::error_code error;
  fs::create_directories(places_.snapshots, error);
  if (error) return Unavailable(fmt::format("there is no directory for it: {}", error.message()));
  chmod(places_.snapshots.c_str(), 0700);
  return {};
}

void SnapshotFiles::Sweep() const {
  const std::string end = fmt::format(".{}.part", places_.host);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(places_.snapshots, error)) {
    if (entry.path().filename().string().ends_with(end)) unlink(entry.path().c_str());
  }
}

std::optional<SnapshotFacts> SnapshotFiles::Find(SnapshotFile file) const {
  const auto text = ReadFile(SidecarOf(file));
  if (!text) return std::nullopt;
  const json sidecar = json::parse(*text, nullptr, false);
  if (!sidecar.is_object()) return std::nullopt;
  struct stat status {};
  SnapshotFacts facts;
  facts.bytes = sidecar.value("bytes", int64_t{0});
  if (stat(PathOf(file).c_str(), &status) < 0 || status.st_size != facts.bytes) return std::nullopt;
  facts.memory_bytes = sidecar.value("memory_bytes", int64_t{0});
  facts.keys = sidecar.value("keys", int64_t{0});
  facts.sha256 = sidecar.value("sha256", std::string());
  facts.engine_version = sidecar.value("engine_version", std::string());
  return facts;
}

// The attempt is durable; it becomes the file once it has been checked. `known`: it is a copy of a
// file that has been.
Result<SnapshotFacts> SnapshotFiles::Finish(SnapshotFile file, const SnapshotFacts* known,
                                            const Progress& progress) const {
  const std::string part = PartOf(file);
  SnapshotFacts facts;
  if (known != nullptr) {
    facts = *known;
  } else {
    const UniqueFd fd = OpenToRead(part);
    if (!fd) return Failed("it cannot be read");
    EC_RETURN_IF_ERROR(CheckBeginning(fd.get()));
    Result<Passed> passed = Pass(fd.get(), -1, progress);
    if (!passed.ok()) return passed.status();
    Result<RdbContents> contents = CheckRdb(places_.checker, part);
    if (!contents.ok()) return contents.status();
    facts = {.bytes = passed->bytes,
             .memory_bytes = std::max(contents->memory_bytes, passed->bytes),
             .keys = contents->keys,
             .sha256 = passed->sha256,
             .engine_version = contents->engine_version};
  }
  CrashPoint("snapshot-checked");
  if (rename(part.c_str(), PathOf(file).c_str()) < 0) return Failed("it cannot be renamed");
  CrashPoint("snapshot-renamed");
  if (!SyncDirectory(places_.snapshots)) return Failed("it cannot be made durable");
  const json sidecar = {{"sha256", facts.sha256},
                        {"bytes", facts.bytes},
                        {"memory_bytes", facts.memory_bytes},
                        {"keys", facts.keys},
                        {"engine_version", facts.engine_version}};
  if (!ReplaceFile(SidecarOf(file), sidecar.dump() + "\n", true)) {
    return Failed("it cannot be made durable");
  }
  CrashPoint("snapshot-noted");
  return facts;
}

Result<SnapshotFacts> SnapshotFiles::TakeIn(SnapshotFile file, const std::string& data,
                                            const Progress& progress) const {
  EC_RETURN_IF_ERROR(MakeDirectory());
  const std::string part = PartOf(file);
  Attempt attempt(part);
  unlink(part.c_str());
  // The engine replaces its file and never writes to one that is complete.
  if (link(data.c_str(), part.c_str()) < 0) {
    const UniqueFd from = OpenToRead(data);
    const UniqueFd to = CreateNew(part);
    if (!from || !to) return Failed("it cannot be copied");
    Result<Passed> passed = Pass(from.get(), to.get(), progress);
    if (!passed.ok()) return passed.status();
  }
  const UniqueFd fd = OpenToRead(part);
  if (!fd || fsync(fd.get()) < 0) return Failed("it cannot be made durable");
  CrashPoint("snapshot-written");
  return Finish(file, nullptr, progress);
}

Result<SnapshotFacts> SnapshotFiles::Copy(SnapshotFile file, SnapshotFile source,
                                          const std::string& sha256,
                                          const Progress& progress) const {
  const auto known = Find(source);
  if (!known) return Unavailable("the file of its source is missing or damaged");
  EC_RETURN_IF_ERROR(MakeDirectory());
  const Attempt attempt(PartOf(file));
  const UniqueFd from = OpenToRead(PathOf(source));
  const UniqueFd to = CreateNew(PartOf(file));
  if (!from || !to) return Failed("it cannot be copied");
  Result<Passed> passed = Pass(from.get(), to.get(), progress);
  if (!passed.ok()) return passed.status();
  if (passed->sha256 != sha256) {
    return Unavailable("the file of its source is damaged: its SHA-256 is not what it was");
  }
  if (fsync(to.get()) < 0) return Failed("it cannot be written");
  return Finish(file, &*known, progress);
}

Result<UniqueFd> SnapshotFiles::OpenObject(const std::string& bucket,
                                           const std::string& key) const {
  const UniqueFd root(open(places_.buckets.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd directory =
      root ? OpenBeneath(root.get(), bucket, O_PATH | O_DIRECTORY) : UniqueFd();
  if (!directory) {
    return Unavailable(fmt::format("there is no bucket {}: it would be a directory in {}", bucket,
                                   places_.buckets));
  }
  UniqueFd object = OpenBeneath(directory.get(), key, O_RDONLY | O_NONBLOCK);
  if (!object) {
    return Unavailable(
        fmt::format("there is no object {} in bucket {} that can be read", key, bucket));
  }
  return object;
}

Result<SnapshotFacts> SnapshotFiles::Import(SnapshotFile file, const std::string& bucket,
                                            const std::string& key,
                                            const Progress& progress) const {
  EC_RETURN_IF_ERROR(MakeDirectory());
  Result<UniqueFd> from = OpenObject(bucket, key);
  if (!from.ok()) return from.status();
  EC_RETURN_IF_ERROR(CheckBeginning(from->get()));
  const Attempt attempt(PartOf(file));
  const UniqueFd to = CreateNew(PartOf(file));
  if (!to) return Failed("it cannot be copied");
  Result<Passed> passed = Pass(from->get(), to.get(), progress);
  if (!passed.ok()) return passed.status();
  if (fsync(to.get()) < 0) return Failed("it cannot be written");
  return Finish(file, nullptr, progress);
}

Status SnapshotFiles::Export(SnapshotFile file, const std::string& sha256,
                             const std::string& bucket, const std::string& key,
                             const Progress& progress) const {
  const UniqueFd root(open(places_.buckets.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd directory =
      root ? OpenBeneath(root.get(), bucket, O_RDONLY | O_DIRECTORY) : UniqueFd();
  if (!directory) {
    return Unavailable(fmt::format("there is no bucket {}: it would be a directory in {}", bucket,
                                   places_.buckets));
  }
  const UniqueFd from = OpenToRead(PathOf(file));
  if (!from) return Unavailable("the file of the snapshot is missing");
  const std::string part = fmt::format(".{}.{}.part", file, places_.host);
  unlinkat(directory.get(), part.c_str(), 0);
  const UniqueFd to(openat(directory.get(), part.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!to) return Failed("the object cannot be written");
  Result<Passed> passed = Pass(from.get(), to.get(), progress);
  Status status = passed.ok() ? Status() : passed.status();
  if (status.ok() && passed->sha256 != sha256) {
    status = Unavailable("the file of the snapshot is damaged: its SHA-256 is not what it was");
  }
  if (status.ok() && fsync(to.get()) < 0) status = Failed("the object cannot be written");
  if (status.ok() && renameat(directory.get(), part.c_str(), directory.get(), key.c_str()) < 0) {
    status = Failed("the object cannot be written");
  }
  if (!status.ok()) unlinkat(directory.get(), part.c_str(), 0);
  if (status.ok() && fsync(directory.get()) < 0) status = Failed("the object cannot be written");
  return status;
}

Status SnapshotFiles::Drop(SnapshotFile file) const {
  // What says that it is complete goes first.
  for (const std::string& path : {SidecarOf(file), PathOf(file), PartOf(file)}) {
    if (unlink(path.c_str()) < 0 && errno != ENOENT && errno != ENOTDIR) {
      LogWarning("snapshot file left", {{"path", path}, {"why", std::strerror(errno)}});
    }
  }
  return {};
}

Status SnapshotFiles::PlaceSeed(const Seed& seed, const std::string& target) const {
  const bool is_object = seed.file == 0;
  Result<UniqueFd> from = is_object ? OpenObject(seed.bucket, seed.key)
                                    : Result<UniqueFd>(OpenToRead(PathOf(seed.file)));
  if (!from.ok()) return from.status();
  if (!*from) return Unavailable("the file of the snapshot is missing");
  EC_RETURN_IF_ERROR(CheckBeginning(from->get()));
  struct stat status {};
  if (is_object && fstat(from->get(), &status) == 0 && status.st_size > seed.memory_max) {
    return Unavailable("the file is larger than the memory of the node type");
  }
  const std::string part = target + ".seed";
  Attempt attempt(part);
  const UniqueFd to = CreateNew(part);
  if (!to) return Failed("the data cannot be copied");
  Result<Passed> passed = Pass(from->get(), to.get(), {});
  if (!passed.ok()) return passed.status();
  if (!is_object && passed->sha256 != seed.sha256) {
    return Unavailable("the file of the snapshot is damaged: its SHA-256 is not what it was");
  }
  if (is_object) {
    Result<RdbContents> contents = CheckRdb(places_.checker, part);
    if (!contents.ok()) return contents.status();
    if (contents->memory_bytes > seed.memory_max) {
      return Unavailable("its data is larger than the memory of the node type");
    }
  }
  if (rename(part.c_str(), target.c_str()) < 0) return Failed("the data cannot be copied");
  attempt.Keep();
  return {};
}

}  // namespace ec::engine
