/// The `aios` program: parses, calls the engine, prints.
#pragma once

namespace aios {

/// Exit statuses of the program.
enum ExitStatus : int { kSuccess = 0, kFailure = 1, kUsage = 2, kInterrupted = 130 };

/// Runs one command. Results go to standard output, everything else to standard error. Never
/// throws: an error becomes one line `error: ...` and a status.
int run_application(int argc, char** argv) noexcept;

}  // namespace aios
