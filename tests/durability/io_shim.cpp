// A library to be preloaded (LD_PRELOAD): watches what a program does to the files of one folder,
// breaks it at a point that the environment names, and keeps a record from which the states that a
// disk may hold after a power failure can be built.
//
//   IO_SHIM_FOLDER  the folder
//   IO_SHIM_FAULT   `ACTION POINT N`: at the N-th call of that name, from 1; POINT `*`: of any
//   name.
//                   kill-before, kill-after, kill-half (half of a write is done), eio, enospc (for
//                   this call), full (half of the write is done, and ENOSPC from then on, until the
//                   program calls io_shim_heal), short (half of the write, which may go on)
//   IO_SHIM_READ_ONLY  not empty: the folder's file system cannot be written
//   IO_SHIM_RECORD  a file for the record (tests/durability/power_loss.py reads it)
//
// A point is CALL:FILE, for example `sync:log`, `rename:segment`, `write:catalog`, `sync:folder`.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <sstream>
#include <string>

namespace {

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

enum class Fault { kNone, kKillBefore, kKillAfter, kKillHalf, kEio, kEnospc, kFull, kShort };

Fault fault_of(const std::string& name) {
  constexpr std::array<const char*, 8> kNames = {"",    "kill-before", "kill-after", "kill-half",
                                                 "eio", "enospc",      "full",       "short"};
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<Fault>(i);
  }
  return Fault::kNone;
}

/// One state for the process. All calls that change files take turns, so that the record has their
/// order.
class Shim {
 public:
  static Shim& instance() {
    static Shim& shim = *new Shim;  // it outlives every caller
    return shim;
  }

  std::recursive_mutex& mutex() { return mutex_; }

  /// What kind of file this is, "" if none of ours.
  std::string kind_of(const std::string& path) const {
    if (folder_.empty() || path.compare(0, folder_.size(), folder_) != 0) return "";
    if (path.size() == folder_.size()) return "folder";
    if (path[folder_.size()] != '/') return "";
    const std::string name = path.substr(folder_.size() + 1);
    if (name == "catalog.sqlite") return "catalog";
    if (name == "catalog.sqlite-wal") return "log";
    if (name == "catalog.sqlite-shm") return "shm";
    if (name == "catalog.sqlite-journal") return "journal";
    if (name.find(".graph") != std::string::npos) return "graph";
    return name.find("segment-") != std::string::npos ? "segment" : "other";
  }

  /// "" for files that are none of ours.
  const std::string& path_of(int descriptor) const {
    static const std::string kNone;
    return descriptor >= 0 && static_cast<std::size_t>(descriptor) < paths_.size()
               ? paths_[static_cast<std::size_t>(descriptor)]
               : kNone;
  }
  void set_path(int descriptor, const std::string& path) {
    if (descriptor < 0 || static_cast<std::size_t>(descriptor) >= paths_.size()) return;
    paths_[static_cast<std::size_t>(descriptor)] = path;
  }

  /// Counts a call; kills, or gives the fault that the caller has to act out.
  Fault arrive(const char* call, const std::string& path) {
    const std::string kind = kind_of(path);
    if (kind.empty() || kind == "shm") return Fault::kNone;
    if (is_full_ && std::strcmp(call, "write") == 0) return Fault::kEnospc;
    const std::string point = std::string(call) + ":" + kind;
    const bool is_named = point_ == "*" || point_ == point || point_ == std::string(call) + ":*";
    if (fault_ == Fault::kNone || !is_named) return Fault::kNone;
    if (--remaining_ != 0) return Fault::kNone;
    note("fault");
    if (fault_ == Fault::kKillBefore) kill_now();
    if (fault_ == Fault::kFull) is_full_ = true;
    return fault_;
  }

  [[noreturn]] static void kill_now() {
    ::kill(::getpid(), SIGKILL);
    while (true) ::pause();
  }

  bool is_read_only() const { return is_read_only_; }
  void heal() { is_full_ = false; }

  bool records() const { return record_ >= 0; }
  /// Appends a line, and the bytes that belong to it: at once, as whoever reads an answer may end
  /// this process before its note is written.
  void note(const std::string& line, const void* data = nullptr, std::size_t size = 0) {
    if (record_ < 0) return;
    std::string entry = line + '\n';
    entry.append(static_cast<const char*>(data), size);
    put(entry.data(), entry.size());
  }

 private:
  Shim() : folder_(environment("IO_SHIM_FOLDER")) {
    std::istringstream words(environment("IO_SHIM_FAULT"));
    std::string action;
    words >> action >> point_ >> remaining_;
    fault_ = fault_of(action);
    const std::string record = environment("IO_SHIM_RECORD");
    if (record.empty()) return;
    record_ = real<int(const char*, int, ...)>("open")(
        record.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }

  void put(const void* data, std::size_t size) {
    static auto* const write_ = real<ssize_t(int, const void*, std::size_t)>("write");
    const char* bytes = static_cast<const char*>(data);
    while (size > 0) {
      const ssize_t written = write_(record_, bytes, size);
      if (written <= 0) kill_now();  // a record with a hole would be worse than none
      bytes += written;
      size -= static_cast<std::size_t>(written);
    }
  }

  std::recursive_mutex mutex_;
  std::string folder_;
  std::string point_;
  Fault fault_ = Fault::kNone;
  int64_t remaining_ = 0;
  bool is_full_ = false;
  bool is_read_only_ = !environment("IO_SHIM_READ_ONLY").empty();
  int record_ = -1;
  std::array<std::string, 4096> paths_;
};

uint64_t inode_of(int descriptor) {
  struct stat status {};
  return ::fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

int error_of(Fault fault) {
  return fault == Fault::kEnospc || fault == Fault::kFull ? ENOSPC : EIO;
}

bool fails(Fault fault) {
  return fault == Fault::kEio || fault == Fault::kEnospc || fault == Fault::kFull;
}

/// A call that is done or not: `body` does it and notes it.
template <typename Body>
int whole_call(const char* call, const std::string& path, Body body) {
  Shim& shim = Shim::instance();
  const std::lock_guard lock(shim.mutex());
  const Fault fault = shim.arrive(call, path);
  if (fails(fault)) {
    errno = error_of(fault);
    return -1;
  }
  const int result = body();
  if (fault == Fault::kKillAfter || fault == Fault::kKillHalf) Shim::kill_now();
  return result;
}

int open_file(const char* path, int flags, mode_t mode) {
  static auto* const open_ = real<int(const char*, int, ...)>("open");
  Shim& shim = Shim::instance();
  if (shim.kind_of(path).empty()) return open_(path, flags, mode);
  const std::string name = path;
  if (shim.is_read_only() && (flags & (O_ACCMODE | O_CREAT)) != O_RDONLY) {
    errno = EROFS;
    return -1;
  }
  return whole_call("open", name, [&] {
    const bool is_new = (flags & O_CREAT) != 0 && ::access(path, F_OK) != 0;
    const int descriptor = open_(path, flags, mode);
    shim.set_path(descriptor, descriptor < 0 ? "" : name);
    if (descriptor >= 0 && is_new) {
      shim.note("create " + std::to_string(inode_of(descriptor)) + " " + name);
    }
    return descriptor;
  });
}

template <typename Write>
ssize_t write_file(int descriptor, const void* data, std::size_t size, int64_t offset,
                   Write write) {
  Shim& shim = Shim::instance();
  const std::lock_guard lock(shim.mutex());
  const std::string path = shim.path_of(descriptor);
  const Fault fault = path.empty() ? Fault::kNone : shim.arrive("write", path);
  if (fault == Fault::kEio || fault == Fault::kEnospc || (fault == Fault::kFull && size < 2)) {
    errno = error_of(fault);
    return -1;
  }
  const bool halves = fault == Fault::kKillHalf || fault == Fault::kFull || fault == Fault::kShort;
  const ssize_t written = write(halves && size > 1 ? size / 2 : size);
  if (written > 0 && !path.empty() && shim.records()) {
    shim.note("write " + std::to_string(inode_of(descriptor)) + " " + std::to_string(offset) + " " +
                  std::to_string(written),
              data, static_cast<std::size_t>(written));
  }
  if (written > 0 && descriptor == STDOUT_FILENO && shim.records()) {
    shim.note("answer 0 0 " + std::to_string(written), data, static_cast<std::size_t>(written));
  }
  if (fault == Fault::kKillAfter || fault == Fault::kKillHalf) Shim::kill_now();
  return written;
}

ssize_t write_at(int descriptor, const void* data, std::size_t size, off_t offset) {
  static auto* const pwrite_ = real<ssize_t(int, const void*, std::size_t, off_t)>("pwrite64");
  return write_file(descriptor, data, size, offset,
                    [&](std::size_t count) { return pwrite_(descriptor, data, count, offset); });
}

ssize_t read_at(int descriptor, void* data, std::size_t size, off_t offset) {
  static auto* const pread_ = real<ssize_t(int, void*, std::size_t, off_t)>("pread64");
  Shim& shim = Shim::instance();
  {
    const std::lock_guard lock(shim.mutex());
    const Fault fault = shim.arrive("read", shim.path_of(descriptor));
    if (fault == Fault::kKillAfter) Shim::kill_now();
    if (fails(fault)) {
      errno = EIO;
      return -1;
    }
  }
  return pread_(descriptor, data, size, offset);
}

int sync_file(int descriptor, const char* function) {
  auto* const sync_ = real<int(int)>(function);
  Shim& shim = Shim::instance();
  const std::lock_guard lock(shim.mutex());
  const std::string path = shim.path_of(descriptor);
  return whole_call("sync", path, [&] {
    const int result = sync_(descriptor);
    if (result == 0 && !path.empty()) {
      const bool is_folder = shim.kind_of(path) == "folder";
      shim.note(is_folder ? "sync-folder" : "sync " + std::to_string(inode_of(descriptor)));
    }
    return result;
  });
}

int truncate_file(int descriptor, off_t size) {
  static auto* const ftruncate_ = real<int(int, off_t)>("ftruncate64");
  Shim& shim = Shim::instance();
  const std::lock_guard lock(shim.mutex());
  const std::string path = shim.path_of(descriptor);
  return whole_call("truncate", path, [&] {
    const int result = ftruncate_(descriptor, size);
    if (result == 0 && !path.empty()) {
      shim.note("truncate " + std::to_string(inode_of(descriptor)) + " " + std::to_string(size));
    }
    return result;
  });
}

int remove_file(const char* path, const char* function) {
  auto* const remove_ = real<int(const char*)>(function);
  return whole_call("unlink", path, [&] {
    const int result = remove_(path);
    Shim& shim = Shim::instance();
    if (result == 0 && !shim.kind_of(path).empty()) shim.note(std::string("unlink ") + path);
    return result;
  });
}

void* map_file(void* address, std::size_t size, int protection, int flags, int descriptor,
               off_t offset) {
  static auto* const mmap_ = real<void*(void*, std::size_t, int, int, int, off_t)>("mmap64");
  if (descriptor < 0) return mmap_(address, size, protection, flags, descriptor, offset);
  Shim& shim = Shim::instance();
  {
    const std::lock_guard lock(shim.mutex());
    if (fails(shim.arrive("map", shim.path_of(descriptor)))) {
      errno = EIO;
      return MAP_FAILED;
    }
  }
  return mmap_(address, size, protection, flags, descriptor, offset);
}

std::array<int64_t, 1> clock_seconds = {-1};  // -1: the system's

}  // namespace

extern "C" {

__attribute__((visibility("default"))) void io_shim_heal(int64_t) { Shim::instance().heal(); }
__attribute__((visibility("default"))) void io_shim_clock(int64_t seconds) {
  clock_seconds[0] = seconds;
}

int clock_gettime(clockid_t clock, struct timespec* time) noexcept {
  static auto* const clock_ = real<int(clockid_t, struct timespec*)>("clock_gettime");
  const int result = clock_(clock, time);
  if (clock == CLOCK_REALTIME && clock_seconds[0] >= 0) time->tv_sec = clock_seconds[0];
  return result;
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = static_cast<mode_t>(va_arg(arguments, int));
  va_end(arguments);
  return open_file(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const auto mode = static_cast<mode_t>(va_arg(arguments, int));
  va_end(arguments);
  return open_file(path, flags, mode);
}

int close(int descriptor) {
  static auto* const close_ = real<int(int)>("close");
  Shim& shim = Shim::instance();
  const std::lock_guard lock(shim.mutex());
  shim.set_path(descriptor, "");
  return close_(descriptor);
}

ssize_t write(int descriptor, const void* data, std::size_t size) {
  static auto* const write_ = real<ssize_t(int, const void*, std::size_t)>("write");
  const bool is_ours = !Shim::instance().path_of(descriptor).empty();
  const int64_t offset = is_ours ? ::lseek(descriptor, 0, SEEK_CUR) : 0;
  return write_file(descriptor, data, size, offset,
                    [&](std::size_t count) { return write_(descriptor, data, count); });
}
ssize_t pwrite(int descriptor, const void* data, std::size_t size, off_t offset) {
  return write_at(descriptor, data, size, offset);
}
ssize_t pwrite64(int descriptor, const void* data, std::size_t size, off_t offset) {
  return write_at(descriptor, data, size, offset);
}
ssize_t pread(int descriptor, void* data, std::size_t size, off_t offset) {
  return read_at(descriptor, data, size, offset);
}
ssize_t pread64(int descriptor, void* data, std::size_t size, off_t offset) {
  return read_at(descriptor, data, size, offset);
}

int fsync(int descriptor) { return sync_file(descriptor, "fsync"); }
int fdatasync(int descriptor) { return sync_file(descriptor, "fdatasync"); }
int ftruncate(int descriptor, off_t size) noexcept { return truncate_file(descriptor, size); }
int ftruncate64(int descriptor, off_t size) noexcept { return truncate_file(descriptor, size); }

int unlink(const char* path) noexcept { return remove_file(path, "unlink"); }
int remove(const char* path) noexcept { return remove_file(path, "remove"); }

int rename(const char* from, const char* to) noexcept {
  static auto* const rename_ = real<int(const char*, const char*)>("rename");
  return whole_call("rename", from, [&] {
    const int result = rename_(from, to);
    Shim& shim = Shim::instance();
    if (result == 0 && !shim.kind_of(from).empty()) {
      shim.note(std::string("rename ") + from + "\t" + to);
    }
    return result;
  });
}

void* mmap(void* address, std::size_t size, int protection, int flags, int descriptor,
           off_t offset) noexcept {
  return map_file(address, size, protection, flags, descriptor, offset);
}
void* mmap64(void* address, std::size_t size, int protection, int flags, int descriptor,
             off_t offset) noexcept {
  return map_file(address, size, protection, flags, descriptor, offset);
}

}  // extern "C"
