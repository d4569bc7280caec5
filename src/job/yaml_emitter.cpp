#include "job/yaml_emitter.hpp"

#include "job/words.hpp"

#include <yaml.h>

#include <algorithm>
#include <new>

namespace sluice {

namespace {

// What reads as no value when it has no quotes.
bool reads_as_null(std::string_view text) { return text.empty() || text == "~" || same_word(text, "null"); }

bool is_printable_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

unsigned char* bytes(std::string_view text) {
    // libyaml copies what it is given and does not write to it.
    return reinterpret_cast<unsigned char*>(const_cast<char*>(text.data() ? text.data() : ""));
}

}  // namespace

struct YamlEmitter::State {
    yaml_emitter_t emitter{};
    std::string out;
    bool good = true;

    ~State() { yaml_emitter_delete(&emitter); }

    // No exception may pass through libyaml's frames.
    static int append(void* self, unsigned char* data, size_t size) {
        try {
            static_cast<State*>(self)->out.append(reinterpret_cast<const char*>(data), size);
            return 1;
        } catch (...) {
            return 0;
        }
    }

    // After the first failure nothing more is written. The emitter owns the events that it was given.
    void emit(yaml_event_t& event, int made) {
        if (!made)
            good = false;
        else if (good)
            good = yaml_emitter_emit(&emitter, &event) == 1;
        else
            yaml_event_delete(&event);
        if (emitter.error == YAML_MEMORY_ERROR) throw std::bad_alloc();
    }
};

YamlEmitter::YamlEmitter() : state_(std::make_unique<State>()) {
    State& state = *state_;
    if (!yaml_emitter_initialize(&state.emitter)) throw std::bad_alloc();
    yaml_emitter_set_output(&state.emitter, &State::append, &state);
    yaml_emitter_set_unicode(&state.emitter, 1);
    yaml_emitter_set_width(&state.emitter, -1);
    yaml_event_t event;
    state.emit(event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    state.emit(event, yaml_document_start_event_initialize(&event, nullptr, nullptr, nullptr, 1));
}

YamlEmitter::~YamlEmitter() = default;

void YamlEmitter::begin_map(YamlStyle style) {
    yaml_event_t event;
    const auto form = style == YamlStyle::Flow ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE;
    state_->emit(event, yaml_mapping_start_event_initialize(&event, nullptr, nullptr, 1, form));
}

void YamlEmitter::end_map() {
    yaml_event_t event;
    state_->emit(event, yaml_mapping_end_event_initialize(&event));
}

void YamlEmitter::begin_list(YamlStyle style) {
    yaml_event_t event;
    const auto form = style == YamlStyle::Flow ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
    state_->emit(event, yaml_sequence_start_event_initialize(&event, nullptr, nullptr, 1, form));
}

void YamlEmitter::end_list() {
    yaml_event_t event;
    state_->emit(event, yaml_sequence_end_event_initialize(&event));
}

void YamlEmitter::text(std::string_view text) {
    auto style = YAML_ANY_SCALAR_STYLE;
    if (reads_as_null(text))
        style = YAML_SINGLE_QUOTED_SCALAR_STYLE;
    else if (!is_printable_ascii(text))
        style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;  // the only style that carries every character unchanged
    yaml_event_t event;
    state_->emit(event, yaml_scalar_event_initialize(&event, nullptr, nullptr, bytes(text),
                                                     static_cast<int>(text.size()), 1, 1, style));
}

void YamlEmitter::entry(std::string_view key, std::string_view value) {
    text(key);
    text(value);
}

void YamlEmitter::map(std::string_view key, YamlStyle style) {
    text(key);
    begin_map(style);
}

void YamlEmitter::list(std::string_view key, YamlStyle style) {
    text(key);
    begin_list(style);
}

bool YamlEmitter::finish() {
    yaml_event_t event;
    state_->emit(event, yaml_document_end_event_initialize(&event, 1));
    state_->emit(event, yaml_stream_end_event_initialize(&event));
    return state_->good;
}

std::string YamlEmitter::take() { return std::move(state_->out); }

}  // namespace sluice
