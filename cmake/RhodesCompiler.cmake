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
  # dlopen is the sanitizer's then, and the program's RUNPATH is not looked at on its behalf, which an RPATH is.
  add_link_options(-fsanitize=${RHODES_SANITIZE} -Wl,--disable-new-dtags)
endif()
# ThreadSanitizer sees none of the barriers of GCC's OpenMP library and takes what they order for races. LLVM's library
# serves programs of GCC too, oneDNN among them, and tells of its barriers by Archer.
if(RHODES_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  find_library(RHODES_ARCHER archer PATHS /usr/lib/llvm-14/lib)
  find_library(RHODES_LLVM_OPENMP omp PATHS /usr/lib/llvm-14/lib)
  if(NOT RHODES_ARCHER OR NOT RHODES_LLVM_OPENMP)
    message(FATAL_ERROR "LLVM's OpenMP library and Archer are not there: run tools/setup lint")
  endif()
  get_filename_component(RHODES_LLVM_DIRECTORY ${RHODES_ARCHER} DIRECTORY)
  # Before GCC's, so that it is the one that is called.
  add_link_options(-Wl,--push-state,--no-as-needed ${RHODES_LLVM_OPENMP} ${RHODES_ARCHER} -Wl,--pop-state
                   -Wl,-rpath,${RHODES_LLVM_DIRECTORY})
  target_sources(rhodes_options INTERFACE
                 $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:${CMAKE_SOURCE_DIR}/cmake/tsan_options.cc>)
endif()
if(RHODES_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link) # without it libFuzzer sees nothing of what it runs
endif()

find_program(RHODES_CCACHE ccache)
if(RHODES_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${RHODES_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${RHODES_CCACHE})
endif()
