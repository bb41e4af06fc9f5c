// Any bytes as a Parquet model file: a FormatError, or tensors of the size that their shapes need.
#include <cstdlib>

#include "memory_file.h"
#include "storage/parquet_reader.h"
#include "touch_tensors.h"

// libarrow is not instrumented: containers that it filled look overflowed to ours.
extern "C" const char* __asan_default_options() { return "detect_container_overflow=0"; }

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  ::setenv("ARROW_DEFAULT_MEMORY_POOL", "system", 1);  // malloc, which the sanitizer watches
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size == 0) return -1;  // MappedFile refuses empty files
  const aios::MemoryFile file(data, size);
  try {
    const aios::ParquetReader reader(file.path());
    [[maybe_unused]] const volatile unsigned sum = aios::touch_tensors(reader);
  } catch (const aios::FormatError&) {  // what a bad file deserves
  }
  return 0;
}
