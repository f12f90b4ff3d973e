#include "common/netns.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <thread>

namespace ec {
namespace {

constexpr char kPlace[] = "/run/netns";
constexpr decltype(statfs::f_type) kNsfs = 0x6e736673;  // NSFS_MAGIC

std::string PathOf(const std::string& name) { return std::string(kPlace) + "/" + name; }

// Ids are checked when they are given; that a name is no path is not left to that.
bool IsName(const std::string& name) {
  return name.starts_with("ec-") && name.find('/') == std::string::npos && name.size() < 128;
}

// Names of today and of tomorrow are to be seen wherever the directory is, as ip-netns(8) sees to.
bool PreparePlace() {
  if (mkdir(kPlace, 0755) != 0 && errno != EEXIST) return false;
  if (mount("", kPlace, "none", MS_SHARED | MS_REC, nullptr) == 0) return true;
  if (errno != EINVAL) return false;
  return mount(kPlace, kPlace, "none", MS_BIND | MS_REC, nullptr) == 0 &&
         mount("", kPlace, "none", MS_SHARED | MS_REC, nullptr) == 0;
}

// FNV-1a.
uint64_t HashOf(std::string_view text) {
  uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

}  // namespace

std::string NetnsPrefix(const std::string& installation_dir) {
  constexpr uint64_t kDigits = 0xffffff;
  const uint64_t hash = HashOf(installation_dir);
  return fmt::format("ec-{:06x}", (hash ^ hash >> 24 ^ hash >> 48) & kDigits);
}

std::string NetnsName(std::string_view prefix, std::string_view id) {
  return fmt::format("{}-{}", prefix, id);
}

UniqueFd OpenNetns(const std::string& name) {
  if (!IsName(name)) {
    errno = EINVAL;
    return {};
  }
  UniqueFd fd(open(PathOf(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct statfs about = {};
  if (fd && (fstatfs(fd.get(), &about) != 0 || about.f_type != kNsfs)) {
    fd.reset();  // the name has lost its namespace, or has not got it yet
    errno = ENOENT;
  }
  return fd;
}

std::optional<ino_t> InodeOfNetns(const std::string& name) {
  const UniqueFd fd = OpenNetns(name);
  struct stat about = {};
  if (!fd || fstat(fd.get(), &about) != 0) return std::nullopt;
  return about.st_ino;
}

std::vector<std::string> NetnsNames(const std::string& prefix) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> place(opendir(kPlace), closedir);
  while (const dirent* const entry = place ? readdir(place.get()) : nullptr) {
    const std::string name = entry->d_name;
    if (name.starts_with(prefix + "-")) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

UniqueFd MakeNetns() {
  UniqueFd fd;
  int error = 0;
  std::thread([&] {
    if (unshare(CLONE_NEWNET) == 0)
      fd.reset(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    error = errno;
  }).join();
  errno = error;
  return fd;
}

bool NameNetns(int netns, const std::string& name) {
  if (!IsName(name)) {
    errno = EINVAL;
    return false;
  }
  if (!PreparePlace()) return false;
  const std::string path = PathOf(name);
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0));
  if (!file) return false;
  const std::string source = fmt::format("/proc/self/fd/{}", netns);
  if (mount(source.c_str(), path.c_str(), "none", MS_BIND, nullptr) == 0) return true;
  const int error = errno;
  unlink(path.c_str());
  errno = error;
  return false;
}

bool UnnameNetns(const std::string& name) {
  if (!IsName(name)) {
    errno = EINVAL;
    return false;
  }
  const std::string path = PathOf(name);
  umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);  // fails where there is only the file
  return unlink(path.c_str()) == 0 || errno == ENOENT;
}

bool InNetns(int netns, const std::function<void()>& work) {
  bool entered = false;
  int error = 0;
  std::thread([&] {
    entered = setns(netns, CLONE_NEWNET) == 0;
    error = errno;
    if (entered) work();
  }).join();
  errno = error;
  return entered;
}

}  // namespace ec
