set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# Debian builds of Abseil are C++17; its headers are compiled here as C++20, which its ABI allows as long as the
# std:: aliases (string_view, optional) are the same, and they are.
add_library(rhodes_options INTERFACE)
target_compile_options(rhodes_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Werror -fno-math-errno
                       $<$<CONFIG:Release>:-O3>)
# GCC 12 reports false positives inside libstdc++ at -O3 (GCC bugs 105329, 105651) and inside absl::StatusOr, whose
# value it does not see guarded by its status (bug 105562 and its relatives).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(rhodes_options INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds
                         -Wno-maybe-uninitialized)
endif()
if(RHODES_SANITIZE)
  add_compile_options(-fsanitize=${RHODES_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${RHODES_SANITIZE})
endif()
if(RHODES_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link) # without it libFuzzer sees nothing of what it runs
endif()

find_program(RHODES_CCACHE ccache)
if(RHODES_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${RHODES_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${RHODES_CCACHE})
endif()
