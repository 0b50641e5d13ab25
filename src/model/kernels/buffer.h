// A plain array for numbers: zeroed, aligned to a cache line, in huge pages where the system grants them.
#ifndef RHODES_MODEL_KERNELS_BUFFER_H_
#define RHODES_MODEL_KERNELS_BUFFER_H_

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include "base/huge_pages.h"

namespace rhodes {

// Movable, not copyable. Throws std::bad_alloc when the memory is not to be had (Model::Create turns that into
// RESOURCE_EXHAUSTED).
template <typename T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t count) : count_(count) {
    if (count == 0) return;
    // One vector of slack at the end lets kernels read a whole vector at the tail of a row.
    const size_t bytes = (count * sizeof(T) + 64 + kHugePage - 1) / kHugePage * kHugePage;
    void* memory = nullptr;
    if (bytes == kHugePage) {  // small: no huge page of its own
      memory = std::aligned_alloc(64, (count * sizeof(T) + 127) / 64 * 64);
    } else {
      memory = std::aligned_alloc(kHugePage, bytes);
      if (memory != nullptr) AdviseHugePages(memory, bytes);
    }
    if (memory == nullptr) throw std::bad_alloc();
    data_ = static_cast<T*>(memory);
    std::memset(memory, 0, count * sizeof(T));
  }
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return count_; }
  std::span<T> span() { return {data_, count_}; }
  std::span<const T> span() const { return {data_, count_}; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }

 private:
  static constexpr size_t kHugePage = size_t{1} << 21;
  T* data_ = nullptr;
  size_t count_ = 0;
};

}  // namespace rhodes

#endif  // RHODES_MODEL_KERNELS_BUFFER_H_
