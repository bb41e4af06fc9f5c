/// `aios memory export`, `import` and `backup`.
#pragma once

#include "cli/command.h"

namespace aios {

void add_memory_transfer_commands(CLI::App& group, Session& session);

}  // namespace aios
