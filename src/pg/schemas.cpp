#include "base/nearest.hpp"
#include "job/words.hpp"

#include <algorithm>
#include <string_view>

#include "pg/bookkeeping.hpp"
#include "pg/schemas.hpp"

namespace sluice {

namespace {

using spi::Param;

// A chain of references that is longer than any that was made on purpose.
constexpr size_t kMostLevels = 100;
constexpr size_t kMostReferences = 1000;

struct Stored {
    SchemaKind kind;
    std::string body;
    SchemaReferences references;
};

// Needs a Bookkeeping scope.
Stored read_schema(const std::string& name) {
    // Text in any encoding of a database is UTF-8 here, as parsers want it.
    const spi::Rows rows = spi::run(
        "SELECT s.kind, pg_catalog.encode(COALESCE(s.binary_body, pg_catalog.convert_to(s.body, 'UTF8')), "
        "'hex'),"
        "       r.key, r.value"
        "  FROM sluice.schema s LEFT JOIN LATERAL pg_catalog.jsonb_each_text(s.schema_references) r ON true"
        " WHERE s.name = $1 ORDER BY r.key",
        {Param::text(name)});
    if (rows.empty()) fail(unknown_schema(name));
    Stored stored{value_or_fail(value_for(kSchemaKinds, "kind", rows.text(0, 0))), {}, {}};
    const std::string hex = rows.text(0, 1);
    stored.body.resize(hex.size() / 2);
    call([&] { hex_decode(hex.data(), hex.size(), stored.body.data()); });
    for (size_t i = 0; i < rows.size(); ++i)
        if (!rows.is_null(i, 2)) stored.references.emplace_back(rows.text(i, 2), rows.text(i, 3));
    return stored;
}

void check_kind(const std::string& name, SchemaKind kind, SchemaKind wanted, const std::string& who) {
    if (kind == wanted) return;
    fail(Error::config("42809", "schema \"" + name + "\" is of kind " +
                                    std::string(word_for(kSchemaKinds, kind)) + ", and " + who + " needs " +
                                    std::string(word_for(kSchemaKinds, wanted))));
}

class References {
  public:
    References(SchemaKind kind) : kind_(kind) {}

    void add(const SchemaReferences& references) {
        if (++level_ > kMostLevels)
            fail(Error::config("54001", "schemas refer to each other in a chain that is too long"));
        for (const auto& [name, schema] : references) add(name, schema);
        --level_;
    }

    std::vector<SchemaText::Reference> take() { return std::move(found_); }

  private:
    void add(const std::string& name, const std::string& schema) {
        const auto known =
            std::find_if(names_.begin(), names_.end(), [&](const auto& one) { return one.first == name; });
        if (known != names_.end()) {
            if (known->second == schema) return;
            fail(Error::config("42710", "reference \"" + name + "\" means schema \"" + known->second +
                                            "\" in one place and \"" + schema + "\" in another"));
        }
        if (names_.size() == kMostReferences)
            fail(Error::config("54000",
                               "schemas refer to more than " + std::to_string(kMostReferences) + " others"));
        names_.emplace_back(name, schema);
        Stored stored = read_schema(schema);
        check_kind(schema, stored.kind, kind_, "reference \"" + name + "\"");
        add(stored.references);
        found_.push_back({name, std::move(stored.body)});
    }

    SchemaKind kind_;
    size_t level_ = 0;
    SchemaReferences names_;
    std::vector<SchemaText::Reference> found_;
};

SharedSchema find_schema(const std::string& name, Format format) {
    const SchemaKind wanted = is_avro_format(format) ? SchemaKind::Avro : SchemaKind::Protobuf;
    Bookkeeping bookkeeping;
    Stored stored = read_schema(name);
    check_kind(name, stored.kind, wanted, "format \"" + std::string(word_for(kFormats, format)) + "\"");
    References references(wanted);
    references.add(stored.references);
    return std::make_shared<SchemaText>(
        SchemaText{stored.kind, "schema \"" + name + "\"", std::move(stored.body), references.take()});
}

}  // namespace

std::vector<SchemaText::Reference> collect_references(const SchemaReferences& references, SchemaKind kind) {
    Bookkeeping bookkeeping;
    for (const auto& [name, schema] : references)
        spi::run("SELECT 1 FROM sluice.schema WHERE name = $1 FOR KEY SHARE", {Param::text(schema)});
    References all(kind);
    all.add(references);
    return all.take();
}

void find_schemas(FormatSpec& format) {
    SchemaOptions& options = format.schema;
    for (const std::string& name : options.schema)
        options.writers.push_back(find_schema(name, format.format));
    if (options.reader_schema) options.reader = find_schema(*options.reader_schema, format.format);
}

Error unknown_schema(const std::string& name) {
    const spi::Rows rows = spi::run("SELECT name FROM sluice.schema ORDER BY name LIMIT 1000");
    std::vector<std::string> names;
    for (size_t i = 0; i < rows.size(); ++i) names.push_back(rows.text(i, 0));
    const std::vector<std::string_view> views(names.begin(), names.end());
    const std::string near = nearest(name, views);
    return Error::config("42704", "schema \"" + name + "\" does not exist", {},
                         near.empty()
                             ? "View sluice.schemas lists the schemas; sluice.create_schema makes one."
                             : "Perhaps you meant \"" + near + "\".");
}

}  // namespace sluice
