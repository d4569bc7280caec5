#include "base/json_text.hpp"

#include <cstdint>

namespace sluice {

void append_json_string(std::string& json, std::string_view text) {
    constexpr char kDigits[] = "0123456789abcdef";
    json += '"';
    for (char c : text) {
        switch (c) {
            case '"':
                json += "\\\"";
                break;
            case '\\':
                json += "\\\\";
                break;
            case '\b':
                json += "\\b";
                break;
            case '\f':
                json += "\\f";
                break;
            case '\n':
                json += "\\n";
                break;
            case '\r':
                json += "\\r";
                break;
            case '\t':
                json += "\\t";
                break;
            default:
                if (static_cast<uint8_t>(c) < 0x20) {
                    json += "\\u00";
                    json += kDigits[c >> 4];
                    json += kDigits[c & 15];
                } else {
                    json += c;
                }
        }
    }
    json += '"';
}

void append_json_base64(std::string& json, std::string_view bytes) {
    constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    json += '"';
    for (size_t i = 0; i < bytes.size(); i += 3) {
        const std::string_view group = bytes.substr(i, 3);
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; ++j)
            bits = bits << 8 | (j < group.size() ? static_cast<uint8_t>(group[j]) : 0);
        for (size_t j = 0; j < 4; ++j) json += j <= group.size() ? kDigits[bits >> (18 - 6 * j) & 63] : '=';
    }
    json += '"';
}

}  // namespace sluice
