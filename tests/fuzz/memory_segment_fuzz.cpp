// Any bytes as a memory segment: a FormatError, or rows whose spans can all be read.
#include <cstdlib>

#include "aios/error.h"
#include "memory_file.h"
#include "storage/memory_file_reader.h"
#include "storage/memory_segment.h"

// libarrow is not instrumented: containers that it filled look overflowed to ours.
extern "C" const char* __asan_default_options() { return "detect_container_overflow=0"; }

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  ::setenv("ARROW_DEFAULT_MEMORY_POOL", "system", 1);  // malloc, which the sanitizer watches
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size == 0) return -1;
  const aios::MemoryFile file(data, size);
  volatile float sum = 0;
  try {
    const auto segment = aios::MemorySegment::open(file.path());
    for (const aios::MemorySegment::Group& group : segment->groups()) {
      for (const float value : group.embeddings) sum = sum + value;
      static_cast<void>(segment->content(group.first_row));
    }
    segment->verify();
  } catch (const aios::FormatError&) {  // what a bad file deserves
  }
  try {
    for (const std::string& what : aios::salvage_memory_file(
             file.path(), [&](const aios::MemoryRow& row) { sum = sum + row.quality_score; })) {
      static_cast<void>(what);
    }
  } catch (const aios::FormatError&) {
  }
  return 0;
}
