/// The storage room as a program, so that tests in Python can hold it against other
/// implementations.
///
///   storage_tool copy IN OUT [MAX_VALUE_BYTES]   all tensors; OUT ends in .parquet or .safetensors
///   storage_tool verify IN
///   storage_tool embeddings OUT                  three texts with vectors of two numbers
///   storage_tool npy OUT                         a matrix [2, 3] of halves
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "aios/error.h"
#include "storage/embedding_parquet.h"
#include "storage/npy_writer.h"
#include "storage/parquet_writer.h"
#include "storage/safetensors_writer.h"
#include "storage/weight_loader.h"

namespace {

using aios::WeightLoader;

void copy(const std::string& input, const std::string& output, std::size_t max_value_bytes) {
  const auto loader = WeightLoader::open(input);
  if (output.ends_with(".safetensors")) {
    std::vector<aios::NamedTensor> tensors;
    for (const auto& info : loader->tensors()) {
      tensors.push_back({info.name, loader->tensor(info.name)});
    }
    aios::write_safetensors(output, tensors);
    return;
  }
  aios::ParquetModelWriter writer(output, max_value_bytes);
  for (const auto& info : loader->tensors()) writer.add(info.name, loader->tensor(info.name));
  writer.finish();
}

void run(const std::vector<std::string>& arguments) {
  const std::string& command = arguments.at(0);
  if (command == "copy") {
    copy(arguments.at(1), arguments.at(2),
         arguments.size() > 3 ? std::stoul(arguments[3])
                              : aios::quantization_schema::kMaxValueBytes);
  } else if (command == "verify") {
    WeightLoader::open(arguments.at(1))->verify();
  } else if (command == "embeddings") {
    const std::vector<std::string> texts = {"one", "", "zw\xc3\xb6lf"};
    const std::vector<float> embeddings = {0.25F, -1, 3, 4, 5e-30F, 6};
    aios::write_embedding_parquet(arguments.at(1), texts, embeddings, 2);
  } else if (command == "npy") {
    aios::write_npy(arguments.at(1), std::vector<float>{0, 0.5F, 1, 1.5F, 2, 2.5F}, 2, 3);
  } else {
    throw aios::ConfigError("unknown command '" + command + "'");
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
