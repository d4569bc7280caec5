// A type of messages that has fields of every kind, and short ways to read them.
// Must not decide what is right.
// Everything is a copy.
#pragma once

#include "protobuf_helpers.hpp"

namespace sluice {

inline const SharedSchema kShop = protobuf_text(R"(
syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/any.proto";
import "google/protobuf/field_mask.proto";

enum Color { NONE = 0; RED = 1; BLUE = 2; }

message Line { string sku = 1; int32 quantity = 2; repeated string tags = 3; optional int64 price = 4; }

message Order {
  message Buyer { string name = 1; Line last = 2; }
  int32 i32 = 1; int64 i64 = 2; uint32 u32 = 3; uint64 u64 = 4; sint32 s32 = 5; sint64 s64 = 6;
  fixed32 f32 = 7; fixed64 f64 = 8; sfixed32 sf32 = 9; sfixed64 sf64 = 10;
  float real = 11; double twice = 12; bool flag = 13; string text = 14; bytes raw = 15;
  Color color = 16;
  optional int32 maybe = 17;
  oneof choice { int32 number = 18; string word = 19; Line line = 20; }
  Buyer buyer = 21;
  repeated int32 many = 22; repeated string words = 23; repeated Line lines = 24; repeated Color colors = 25;
  repeated bytes blobs = 26;
  map<string, int32> counts = 27; map<int32, Line> by_number = 28; map<bool, string> by_flag = 29;
  google.protobuf.Timestamp at = 30; google.protobuf.Duration took = 31;
  google.protobuf.Int64Value wrapped = 32; google.protobuf.StringValue name = 33;
  google.protobuf.Struct extra = 34; google.protobuf.Value any_value = 35; google.protobuf.ListValue list = 36;
  google.protobuf.Any any = 37; google.protobuf.FieldMask mask = 38;
  repeated google.protobuf.Timestamp times = 39;
  Order inner = 40;
  google.protobuf.NullValue nothing = 41;
  map<uint64, bytes> by_big = 1000;
  uint64 far = 536870911;
}
)");

inline std::string order(const std::string& text) {
    static ProtobufTestSchema schema(*kShop);
    return schema.bytes("shop.Order", text);
}

inline RecordSpec source(std::vector<SourceColumn> columns) {
    return protobuf_source(std::move(columns), {kShop}, "shop.Order");
}

// The one cell of a column that takes this path.
inline std::optional<std::string> cell(const std::string& path, const std::string& text,
                                       ColumnShape shape = ColumnShape::Scalar) {
    return shown(source({shaped("c", path, shape)}), order(text)).front();
}

}  // namespace sluice
