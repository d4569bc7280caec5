// Questions to PostgreSQL's own catalog, in SQL and as values.
// Must not be used for sluice's tables: it asks as the current user, whose search_path it keeps out.
// Everything is returned by value.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "pg/spi.hpp"

namespace sluice {

spi::Rows query_catalog(std::string_view sql, std::initializer_list<spi::Param> params = {});

// Qualified and quoted where SQL asks for it.
std::string qualified_name(Oid relation);
std::string quoted_name(const std::string& name);

}  // namespace sluice
