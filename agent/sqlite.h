#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace dsv4::agent {

struct SqliteError : std::runtime_error {
  SqliteError(int c, const char* message) : std::runtime_error(message), code(c) {}
  int code;
};

// Throws SqliteError for every code that is not a success.
void check_sqlite(sqlite3* database, int code);

// One statement with its values, run row by row. The database must outlive it. Everything throws
// SqliteError.
class SqliteStatement {
 public:
  SqliteStatement(sqlite3* database, const std::string& text);
  ~SqliteStatement() { sqlite3_finalize(statement_); }
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  // The next value that the text leaves open; those that are left over are null.
  SqliteStatement& bind(const std::string& value);
  SqliteStatement& bind(int64_t value);
  SqliteStatement& bind(double value);

  bool step();  // false: there are no more rows
  std::string text(int column) const;
  int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  bool null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  double real(int column) const { return sqlite3_column_double(statement_, column); }

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

}  // namespace dsv4::agent
