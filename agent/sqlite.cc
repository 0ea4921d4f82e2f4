#include "agent/sqlite.h"

namespace dsv4::agent {

void check_sqlite(sqlite3* database, int code) {
  if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) {
    throw SqliteError(code, database ? sqlite3_errmsg(database) : sqlite3_errstr(code));
  }
}

SqliteStatement::SqliteStatement(sqlite3* database, const std::string& text) : database_(database) {
  check_sqlite(database, sqlite3_prepare_v2(database, text.c_str(), -1, &statement_, nullptr));
}

SqliteStatement& SqliteStatement::bind(const std::string& value) {
  check_sqlite(database_, sqlite3_bind_text(statement_, ++bound_, value.data(),
                                            static_cast<int>(value.size()), SQLITE_TRANSIENT));
  return *this;
}

SqliteStatement& SqliteStatement::bind(int64_t value) {
  check_sqlite(database_, sqlite3_bind_int64(statement_, ++bound_, value));
  return *this;
}

SqliteStatement& SqliteStatement::bind(double value) {
  check_sqlite(database_, sqlite3_bind_double(statement_, ++bound_, value));
  return *this;
}

bool SqliteStatement::step() {
  const int code = sqlite3_step(statement_);
  check_sqlite(database_, code);
  return code == SQLITE_ROW;
}

std::string SqliteStatement::text(int column) const {
  const unsigned char* value = sqlite3_column_text(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return value == nullptr
             ? std::string()
             : std::string(reinterpret_cast<const char*>(value), static_cast<size_t>(size));
}

}  // namespace dsv4::agent
