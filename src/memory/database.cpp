#include "memory/database.h"

#include <cerrno>
#include <new>
#include <utility>

namespace aios {
namespace {

constexpr int kBusyTimeout = 10000;  // milliseconds

int open_flags(DatabaseMode mode) {
  switch (mode) {
    case DatabaseMode::kReadOnly:
      return SQLITE_OPEN_READONLY;
    case DatabaseMode::kReadWrite:
      return SQLITE_OPEN_READWRITE;
    case DatabaseMode::kCreate:
      break;
  }
  return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
}

/// The system's last error of a file that SQLite has open.
int last_system_error(sqlite3* handle, int pointer_operation) {
  sqlite3_file* file = nullptr;
  int code = 0;
  if (sqlite3_file_control(handle, "main", pointer_operation, &file) != SQLITE_OK) return 0;
  if (file == nullptr || file->pMethods == nullptr) return 0;
  file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &code);
  return code;
}

/// Whether what looks damaged could not be read: SQLite calls both by one name (its unixRead and
/// SQLITE_IOERR_CORRUPTFS).
bool is_unreadable(sqlite3* handle) {
  if (handle == nullptr) return false;
  return last_system_error(handle, SQLITE_FCNTL_FILE_POINTER) == EIO ||
         last_system_error(handle, SQLITE_FCNTL_JOURNAL_POINTER) == EIO;
}

}  // namespace

Database::Database(std::string path, DatabaseMode mode) : path_(std::move(path)) {
  sqlite3* handle = nullptr;
  const int flags = open_flags(mode) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path_.c_str(), &handle, flags, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) fail(code);
  sqlite3_busy_timeout(handle_.get(), kBusyTimeout);
  // Only the writer checkpoints, and not as it closes: a reader must never race it (SQLite before
  // 3.51.3 loses commits when another connection's checkpoint resets the log).
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // A hostile file must not run code of its schema.
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
}

Database::WithoutWaiting::WithoutWaiting(Database& database) noexcept : database_(database) {
  sqlite3_busy_timeout(database_.handle(), 0);
}

Database::WithoutWaiting::~WithoutWaiting() {
  sqlite3_busy_timeout(database_.handle(), kBusyTimeout);
}

void Database::fail(int code) const {
  const bool is_last = handle_ != nullptr && sqlite3_extended_errcode(handle_.get()) == code;
  const std::string what = is_last ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  const std::string message = "'" + path_ + "': " + what;
  switch (code & 0xff) {
    case SQLITE_NOMEM:
      throw std::bad_alloc();
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      fail_damaged(what);
    case SQLITE_FULL:
      throw IoError(message + "; free some space and try again");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw StorageError(message + "; another process holds it: try again later");
    case SQLITE_CANTOPEN:
      throw IoError(message + "; its folder must allow writing, or hold the catalogue's -shm file");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_IOERR:
      throw IoError(message);
    default:
      throw StorageError(message);
  }
}

void Database::fail_damaged(const std::string& what) const {
  if (is_unreadable(handle_.get())) {
    throw IoError("'" + path_ + "': the disk cannot read it; check the disk, and try again");
  }
  throw DamageError("'" + path_ + "': " + what + "; run aios memory repair on its folder");
}

void Database::execute(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

Database::StatementPointer Database::take_statement(const std::string& sql) {
  if (auto idle = idle_statements_.extract(sql)) return std::move(idle.mapped());
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.c_str(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail(code);
  return StatementPointer(statement);
}

Query::Query(Database& database, std::string sql)
    : database_(database), sql_(std::move(sql)), statement_(database.take_statement(sql_)) {}

Query::~Query() {
  constexpr std::size_t kMaxIdle = 64;  // filters make statements without end
  reset();
  if (database_.idle_statements_.size() >= kMaxIdle) return;
  database_.idle_statements_.emplace(std::move(sql_), std::move(statement_));
}

Query& Query::check(int code) {
  if (code != SQLITE_OK) database_.fail(code);
  return *this;
}

Query& Query::bind(int64_t value) {
  return check(sqlite3_bind_int64(statement_.get(), ++num_bound_, value));
}

Query& Query::bind(double value) {
  return check(sqlite3_bind_double(statement_.get(), ++num_bound_, value));
}

Query& Query::bind(std::string_view text) {
  const char* const data = text.empty() ? "" : text.data();  // a null pointer would bind NULL
  return check(sqlite3_bind_text64(statement_.get(), ++num_bound_, data, text.size(), SQLITE_STATIC,
                                   SQLITE_UTF8));
}

Query& Query::bind(std::span<const std::byte> blob) {
  return check(
      sqlite3_bind_blob64(statement_.get(), ++num_bound_, blob.data(), blob.size(), SQLITE_STATIC));
}

Query& Query::bind(std::optional<int64_t> value) {
  if (value) return bind(*value);
  return check(sqlite3_bind_null(statement_.get(), ++num_bound_));
}

Query& Query::bind_column(const Query& row, int column) {
  return check(sqlite3_bind_value(statement_.get(), ++num_bound_,
                                  sqlite3_column_value(row.statement_.get(), column)));
}

bool Query::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_.fail(code);
  return false;
}

void Query::run() {
  while (step()) {
  }
  reset();
}

void Query::reset() noexcept {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  num_bound_ = 0;
}

int64_t Query::integer(int column) const noexcept {
  return sqlite3_column_int64(statement_.get(), column);
}

double Query::real(int column) const noexcept {
  return sqlite3_column_double(statement_.get(), column);
}

std::string_view Query::text(int column) const {
  const auto* const text = sqlite3_column_text(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return text == nullptr ? std::string_view()
                         : std::string_view(reinterpret_cast<const char*>(text), size);
}

std::span<const std::byte> Query::blob(int column) const {
  const void* const blob = sqlite3_column_blob(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return {static_cast<const std::byte*>(blob), blob == nullptr ? 0 : size};
}

std::optional<int64_t> Query::optional_integer(int column) const noexcept {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return integer(column);
}

int64_t query_integer(Database& database, const char* sql) {
  Query query(database, sql);
  return query.step() ? query.integer(0) : 0;
}

Transaction::Transaction(Database& database, Kind kind) : database_(database) {
  database_.execute(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  // Rolling back cannot fail in a way that matters: SQLite does it at the latest when it closes.
  if (database_.in_transaction()) {
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Transaction::commit() { database_.execute("COMMIT"); }

}  // namespace aios
