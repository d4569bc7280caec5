#include "pg/system_catalog.hpp"

#include "pg/bookkeeping.hpp"

namespace sluice {

spi::Rows query_catalog(std::string_view sql, std::initializer_list<spi::Param> params) {
    PinnedPath path;
    spi::Connection connection;
    return spi::run(sql, params);
}

std::string qualified_name(Oid relation) {
    return call([&] {
        return quote_qualified_identifier(get_namespace_name_or_temp(get_rel_namespace(relation)),
                                          get_rel_name(relation));
    });
}

std::string quoted_name(const std::string& name) {
    return call([&] { return ::quote_identifier(name.c_str()); });
}

}  // namespace sluice
