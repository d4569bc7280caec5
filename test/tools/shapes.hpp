// Rows of other shapes than orders, as CSV: what a loader meets that was tuned for one table only.
// Must not know: Kafka, files.
// append() writes into the caller's string and owns nothing.
#pragma once

#include "draw.hpp"

#include <optional>
#include <string_view>

namespace sluice::tools {

class Shape {
  public:
    // wide: id and 199 columns, in turn an integer, a short text, a number with two places, a time (2.6 KB).
    // long: id and a text of 100 KB. tiny: id and an integer. document: id and JSON (330 bytes).
    static std::optional<Shape> named(std::string_view name, uint64_t seed) {
        if (name == "wide") return Shape(&Shape::wide, seed);
        if (name == "long") return Shape(&Shape::long_text, seed);
        if (name == "tiny") return Shape(&Shape::tiny, seed);
        if (name == "document") return Shape(&Shape::document, seed);
        return std::nullopt;
    }

    // Appends the next row without a line end and returns its id; ids number the rows.
    uint64_t append(std::string& out) {
        Draw::number(out, ++id_);
        out += ',';
        (this->*fields_)(out);
        return id_;
    }

  private:
    using Fields = void (Shape::*)(std::string&);

    Shape(Fields fields, uint64_t seed) : fields_(fields), draw_(seed) {}

    void tiny(std::string& out) { Draw::number(out, draw_.below(1'000'000)); }

    void wide(std::string& out) {
        for (int column = 1; column < 200; ++column) {
            if (column > 1) out += ',';
            switch (column % 4) {
                case 1:
                    Draw::number(out, draw_.below(1'000'000));
                    break;
                case 2:
                    out += "TEXT";
                    Draw::digits(out, draw_.below(1'000'000), 8);
                    break;
                case 3:
                    draw_.price(out);
                    break;
                default:
                    draw_.timestamp(out);
            }
        }
    }

    void long_text(std::string& out) {
        out += '"';
        draw_.letters(out, 100'000);
        out += '"';
    }

    void document(std::string& out) {
        out += R"("{""customer"":)";
        Draw::number(out, draw_.below(50'000));
        out += R"(,""ordered_at"":"")";
        draw_.timestamp(out);
        out += R"("",""note"":"")";
        draw_.letters(out, 60);
        out += R"("",""items"":[)";
        for (int item = 0; item < 3; ++item) {
            out += item ? R"(,{""sku"":""SKU)" : R"({""sku"":""SKU)";
            Draw::digits(out, draw_.below(100'000), 7);
            out += R"("",""quantity"":)";
            Draw::number(out, 1 + draw_.below(99));
            out += R"(,""price"":)";
            draw_.price(out);
            out += '}';
        }
        out += R"(]}")";
    }

    Fields fields_;
    Draw draw_;
    uint64_t id_ = 0;
};

}  // namespace sluice::tools
