#include "pg/arguments.hpp"

extern "C" {
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
}

namespace sluice {

std::optional<std::string> Arguments::text(int at) const {
    if (is_null(at)) return std::nullopt;
    const varlena* value = call([&] {
        return pg_detoast_datum_packed(reinterpret_cast<varlena*>(DatumGetPointer(info_->args[at].value)));
    });
    return std::string(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

std::optional<std::string> Arguments::name(int at) const {
    if (is_null(at)) return std::nullopt;
    return std::string(NameStr(*DatumGetName(info_->args[at].value)));
}

std::optional<std::string> Arguments::jsonb(int at) const {
    if (is_null(at)) return std::nullopt;
    const char* value = call([&] {
        Jsonb* jb = DatumGetJsonbP(info_->args[at].value);
        return JsonbToCString(nullptr, &jb->root, VARSIZE(jb));
    });
    return std::string(value);
}

std::optional<std::vector<std::string>> Arguments::text_array(int at, const char* argument) const {
    if (is_null(at)) return std::nullopt;
    Datum* elements = nullptr;
    bool* nulls = nullptr;
    int count = 0;
    call([&] {
        deconstruct_array(DatumGetArrayTypeP(info_->args[at].value), TEXTOID, -1, false, TYPALIGN_INT,
                          &elements, &nulls, &count);
    });
    std::vector<std::string> result;
    for (int i = 0; i < count; ++i) {
        if (nulls[i])
            fail(Error::config("22004", std::string("argument ") + argument + " must not contain NULL"));
        const varlena* value = call([&] {
            return pg_detoast_datum_packed(reinterpret_cast<varlena*>(DatumGetPointer(elements[i])));
        });
        result.emplace_back(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
    }
    return result;
}

std::optional<int32_t> Arguments::integer(int at) const {
    if (is_null(at)) return std::nullopt;
    return DatumGetInt32(info_->args[at].value);
}

std::optional<int64_t> Arguments::bigint(int at) const {
    if (is_null(at)) return std::nullopt;
    return DatumGetInt64(info_->args[at].value);
}

std::optional<bool> Arguments::boolean(int at) const {
    if (is_null(at)) return std::nullopt;
    return DatumGetBool(info_->args[at].value);
}

std::optional<int64_t> Arguments::interval_ms(int at) const {
    if (is_null(at)) return std::nullopt;
    const Interval* value = DatumGetIntervalP(info_->args[at].value);
    return value->time / 1000 + (static_cast<int64_t>(value->day) + value->month * int64_t{DAYS_PER_MONTH}) *
                                    (USECS_PER_DAY / 1000);
}

std::string Arguments::required_text(int at, const char* argument) const {
    auto value = text(at);
    if (!value) fail(Error::config("22004", std::string("argument ") + argument + " must not be NULL"));
    return std::move(*value);
}

}  // namespace sluice
