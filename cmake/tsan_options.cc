// What every program of the preset tsan is started with, beside what TSAN_OPTIONS says.
extern "C" const char* __tsan_default_options();

// Libraries that are not built for ThreadSanitizer (oneDNN, OpenMP's own) synchronize by means it does not see; what
// they do by functions it watches would be taken for races. Ours is watched all the same.
extern "C" const char* __tsan_default_options() { return "ignore_noninstrumented_modules=1"; }
