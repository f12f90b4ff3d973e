#include "nodeagent/engine/preload.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/unique_fd.h"

namespace ec::engine {
namespace {

template <typename T>
bool ReadAt(int fd, off_t at, T* out) {
  return pread(fd, out, sizeof(T), at) == static_cast<ssize_t>(sizeof(T));
}

// The header of a program or library for this machine.
bool ReadHeader(int fd, ElfW(Ehdr) * header) {
  constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  return ReadAt(fd, 0, header) && std::memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
         header->e_ident[EI_CLASS] == kClass && header->e_phentsize == sizeof(ElfW(Phdr));
}

bool NamesDynamicLinker(int fd, const ElfW(Ehdr) & header) {
  for (int i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    const auto at = static_cast<off_t>(header.e_phoff + static_cast<size_t>(i) * sizeof(segment));
    if (!ReadAt(fd, at, &segment)) return false;
    if (segment.p_type == PT_INTERP) return true;
  }
  return false;
}

}  // namespace

std::string WhyNotPreloaded(const std::string& program, const std::string& library) {
  const UniqueFd library_fd(open(library.c_str(), O_RDONLY | O_CLOEXEC));
  if (!library_fd) return library + ": " + std::strerror(errno);
  ElfW(Ehdr) wanted;
  if (!ReadHeader(library_fd.get(), &wanted)) return library + " is not a library";

  const UniqueFd fd(open(program.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) < 0) return std::strerror(errno);
  if ((status.st_mode & (S_ISUID | S_ISGID)) != 0) return "it is setuid or setgid";
  if (fgetxattr(fd.get(), "security.capability", nullptr, 0) > 0) return "it has capabilities";
  ElfW(Ehdr) header;
  if (!ReadHeader(fd.get(), &header) || header.e_machine != wanted.e_machine) {
    return "it is not a program for this machine";
  }
  return NamesDynamicLinker(fd.get(), header) ? "" : "it is statically linked";
}

}  // namespace ec::engine
