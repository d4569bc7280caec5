// SPI for C++: a connection that closes itself, parameters and rows as values.
// Must not know any table of sluice.
// A Connection owns SPI's memory; rows own copies of their text, so they outlive it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pg/airlock.hpp"

namespace sluice::spi {

// One connected SPI scope. When it is left by an exception the transaction's abort closes SPI, so it does
// not.
class Connection {
  public:
    Connection();
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

  private:
    int exceptions_;
};

// A typed parameter, $1 … $n in order.
struct Param {
    Oid type = UNKNOWNOID;
    bool null = false;
    Datum value = 0;

    static Param null_of(Oid type) { return {type, true, 0}; }
    static Param int4(int32_t v) { return {INT4OID, false, Int32GetDatum(v)}; }
    static Param int8(int64_t v) { return {INT8OID, false, Int64GetDatum(v)}; }
    static Param boolean(bool v) { return {BOOLOID, false, BoolGetDatum(v)}; }
    static Param oid(Oid v) { return {OIDOID, false, ObjectIdGetDatum(v)}; }
    static Param of(Oid type, Datum v) { return {type, false, v}; }
    // Text parameters are palloc'd in the current context.
    static Param text(std::string_view v);
    static Param optional_text(const std::optional<std::string>& v);
    // NULL when the text is empty.
    static Param text_or_null(std::string_view v);
    static Param bytea(std::string_view v);
    static Param text_array(const std::vector<std::string>& v);
    static Param int4_array(const std::vector<int32_t>& v);
};

// The rows of a query, every value as its text output.
class Rows {
  public:
    size_t size() const { return rows_.size(); }
    bool empty() const { return rows_.empty(); }
    const std::optional<std::string>& at(size_t row, size_t column) const { return rows_[row][column]; }
    std::string text(size_t row, size_t column) const { return at(row, column).value_or(std::string{}); }
    int64_t integer(size_t row, size_t column) const { return std::stoll(*at(row, column)); }
    bool boolean(size_t row, size_t column) const { return at(row, column) && *at(row, column) == "t"; }
    bool is_null(size_t row, size_t column) const { return !at(row, column); }
    // Rows that an INSERT, UPDATE or DELETE processed, or the query returned.
    uint64_t processed() const { return processed_; }

  private:
    friend Rows collect(uint64_t);
    std::vector<std::vector<std::optional<std::string>>> rows_;
    uint64_t processed_ = 0;
};

// Runs one statement inside a Connection, read-write, with the current snapshot rules of SPI. Errors are
// PgError.
Rows run(std::string_view sql, std::initializer_list<Param> params = {});
Rows run(std::string_view sql, const std::vector<Param>& params);

// A statement that is planned once and kept for the life of the process. For static strings in background
// processes; parameter types are those of the first run.
class Prepared {
  public:
    explicit constexpr Prepared(const char* sql) : sql_(sql) {}
    Rows run(const std::vector<Param>& params);

  private:
    const char* sql_;
    SPIPlanPtr plan_ = nullptr;
};

// A transaction of a background process: begun here, aborted unless `commit` is reached.
class Transaction {
  public:
    Transaction();
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();
    // Aborts now; safe to call when already ended.
    void abort() noexcept;

  private:
    bool open_ = false;
};

// A subtransaction: rolled back unless `release` is reached. Memory context and resource owner are put back.
class Subtransaction {
  public:
    Subtransaction();
    ~Subtransaction();
    Subtransaction(const Subtransaction&) = delete;
    Subtransaction& operator=(const Subtransaction&) = delete;
    void release();
    void rollback();

  private:
    MemoryContext context_;
    struct ResourceOwnerData* owner_;
    bool open_ = false;
};

}  // namespace sluice::spi
