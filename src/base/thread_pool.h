/// A fork-join pool for the parallel regions of kernels.
///
/// The caller takes part; chunks are handed out by an atomic counter, so a descheduled worker never
/// stalls a region. Workers spin about 20 microseconds, then sleep on a futex. Several threads may
/// call `parallel_for`: regions queue for the pool. A region must not start another one.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace aios {

/// A borrowed callable: valid while the callable lives. Never allocates.
template <typename Signature>
class FunctionRef;
template <typename Result, typename... Arguments>
class FunctionRef<Result(Arguments...)> {
 public:
  template <typename Callable>
  requires(!std::is_same_v<std::remove_cvref_t<Callable>, FunctionRef>)
      FunctionRef(Callable&& callable)
  noexcept  // NOLINT(google-explicit-constructor)
      : object_(const_cast<void*>(static_cast<const void*>(&callable))),
        call_([](void* object, Arguments... arguments) -> Result {
          return (*static_cast<std::remove_reference_t<Callable>*>(object))(arguments...);
        }) {}
  Result operator()(Arguments... arguments) const { return call_(object_, arguments...); }

 private:
  void* object_;
  Result (*call_)(void*, Arguments...);
};

class ThreadPool {
 public:
  /// @param num_threads callers included; 0: one per physical core
  /// @throws ConfigError if it is negative, above 1024 or more than the system can start
  explicit ThreadPool(int num_threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int num_threads() const noexcept;

  /// Calls `body(chunk)` once for every chunk in [0, num_chunks), in any order, on any thread, and
  /// returns when all are done. `body` must not throw.
  void parallel_for(int64_t num_chunks, FunctionRef<void(int64_t)> body) noexcept;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace aios
