// Rows of cells, one after the other, as many as come.
// Must not know what the cells mean.
// Owns the cells, whose memory it keeps from use to use; not what they point to.
#pragma once

#include "base/types.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace sluice {

class RowBuffer {
  public:
    explicit RowBuffer(size_t columns) : columns_(columns) {}

    size_t size() const { return size_; }
    void clear() { size_ = 0; }
    void truncate(size_t size) { size_ = std::min(size, size_); }

    // The cells of a new row are those of an older one. It is valid until the next one is added.
    Row add() {
        const size_t end = (size_ + 1) * columns_;
        if (end > cells_.size()) cells_.resize(std::max(end, 2 * cells_.size()));
        return (*this)[size_++];
    }
    // A new row with the cells of the last one.
    Row repeat() {
        const Row added = add();
        std::copy_n(added.data() - columns_, columns_, added.data());
        return added;
    }
    Row last() { return (*this)[size_ - 1]; }
    Row operator[](size_t row) { return Row(cells_.data() + row * columns_, columns_); }

  private:
    size_t columns_;
    size_t size_ = 0;
    std::vector<Cell> cells_;
};

}  // namespace sluice
