// Any bytes as a safetensors file: a FormatError, or tensors that lie within it.
#include "memory_file.h"
#include "storage/safetensors_reader.h"
#include "touch_tensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size == 0) return -1;  // MappedFile refuses empty files
  const aios::MemoryFile file(data, size);
  try {
    const aios::SafetensorsReader reader(file.path());
    [[maybe_unused]] const volatile unsigned sum = aios::touch_tensors(reader);
  } catch (const aios::FormatError&) {  // what a bad file deserves
  }
  return 0;
}
