/// SQLite as values: a connection, and queries whose results are read row by row.
///
/// A connection and its queries belong to one thread at a time. SQLite's codes become this
/// project's errors here and go no further.
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "aios/error.h"

namespace aios {

/// The data themselves are damaged: what a repair is for.
class DamageError : public StorageError {
 public:
  using StorageError::StorageError;
};

enum class DatabaseMode { kReadOnly, kReadWrite, kCreate };

class Database {
 public:
  /// @throws IoError, StorageError
  Database(std::string path, DatabaseMode mode);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() = default;

  /// While it lives, what another connection holds is an error or an answer at once.
  class WithoutWaiting {
   public:
    explicit WithoutWaiting(Database& database) noexcept;
    WithoutWaiting(const WithoutWaiting&) = delete;
    WithoutWaiting& operator=(const WithoutWaiting&) = delete;
    ~WithoutWaiting();

   private:
    Database& database_;
  };

  /// Runs statements that give no rows.
  void execute(const char* sql);
  [[nodiscard]] int64_t num_changes() const noexcept { return sqlite3_changes64(handle_.get()); }
  [[nodiscard]] int64_t last_rowid() const noexcept {
    return sqlite3_last_insert_rowid(handle_.get());
  }
  [[nodiscard]] bool in_transaction() const noexcept {
    return sqlite3_get_autocommit(handle_.get()) == 0;
  }
  [[nodiscard]] sqlite3* handle() const noexcept { return handle_.get(); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// @throws what the code of the last call deserves
  [[noreturn]] void fail(int code) const;
  /// @param what is wrong with the data
  /// @throws IoError if the disk did not give them, else DamageError
  [[noreturn]] void fail_damaged(const std::string& what) const;

 private:
  friend class Query;
  struct Close {
    void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  using StatementPointer = std::unique_ptr<sqlite3_stmt, Finalize>;
  [[nodiscard]] StatementPointer take_statement(const std::string& sql);

  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
  std::multimap<std::string, StatementPointer, std::less<>> idle_statements_;
};

/// One run of a statement. Parameters are bound in order; texts and blobs are borrowed until it
/// ends.
class Query {
 public:
  Query(Database& database, std::string sql);
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  /// Gives the statement back for the next run.
  ~Query();

  Query& bind(int64_t value);
  Query& bind(int32_t value) { return bind(static_cast<int64_t>(value)); }
  Query& bind(double value);
  Query& bind(std::string_view text);
  Query& bind(std::span<const std::byte> blob);
  Query& bind(std::optional<int64_t> value);
  /// A column of another query's row, of whatever type.
  Query& bind_column(const Query& row, int column);

  /// The next row, false if there is none.
  bool step();
  /// Runs to the end, and makes the query ready for other parameters.
  void run();
  /// Ready for other parameters.
  void reset() noexcept;

  [[nodiscard]] int64_t integer(int column) const noexcept;
  [[nodiscard]] double real(int column) const noexcept;
  [[nodiscard]] std::string_view text(int column) const;            // until the next step
  [[nodiscard]] std::span<const std::byte> blob(int column) const;  // until the next step
  [[nodiscard]] std::optional<int64_t> optional_integer(int column) const noexcept;

 private:
  Query& check(int code);
  Database& database_;
  std::string sql_;
  Database::StatementPointer statement_;
  int num_bound_ = 0;
};

/// The single integer that a query without parameters gives; 0 if it gives no row.
[[nodiscard]] int64_t query_integer(Database& database, const char* sql);

/// A transaction that is rolled back unless it is committed.
class Transaction {
 public:
  enum class Kind { kRead, kWrite };
  Transaction(Database& database, Kind kind);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  /// Durable when it returns. @throws IoError: nothing was changed then
  void commit();

 private:
  Database& database_;
};

}  // namespace aios
