#include "storage/joined_mapping.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace aios {

std::shared_ptr<const std::byte> join_mapped(std::span<const std::span<const std::byte>> pieces) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::size_t size = 0;
  for (const auto& piece : pieces) {
    const bool starts_on_page = reinterpret_cast<std::uintptr_t>(piece.data()) % page == 0;
    if (!starts_on_page || size % page != 0 || piece.empty()) return nullptr;
    size += piece.size();
  }

  void* const reserved =
      ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) return nullptr;
  std::shared_ptr<std::byte> joined(static_cast<std::byte*>(reserved),
                                    [size](std::byte* memory) { ::munmap(memory, size); });
  std::byte* target = joined.get();
  for (const auto& piece : pieces) {
    // With an old size of 0, mremap maps the same pages of a shared mapping a second time. Unlike
    // opening the path again, it cannot meet another file that has taken the name meanwhile.
    void* const source = const_cast<std::byte*>(piece.data());
    if (::mremap(source, 0, piece.size(), MREMAP_MAYMOVE | MREMAP_FIXED, target) == MAP_FAILED) {
      return nullptr;
    }
    target += piece.size();
  }
  return joined;
}

}  // namespace aios
