// Writes YAML through libyaml, with quotes wherever plain text would read as something else.
// Must not know what is written.
// Owns the text until `take`.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace sluice {

enum class YamlStyle { Block, Flow };

class YamlEmitter {
  public:
    YamlEmitter();
    ~YamlEmitter();

    void begin_map(YamlStyle style = YamlStyle::Block);
    void end_map();
    void begin_list(YamlStyle style = YamlStyle::Block);
    void end_list();
    void text(std::string_view text);

    // Key and value of a map.
    void entry(std::string_view key, std::string_view value);
    // The key, and the map or list that begins as its value.
    void map(std::string_view key, YamlStyle style = YamlStyle::Block);
    void list(std::string_view key, YamlStyle style = YamlStyle::Block);

    // Ends the document. False when some text was not UTF-8.
    bool finish();
    std::string take();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace sluice
