// A Starlink dish in a process of its own, for the end-to-end tests: prints its port, then does what the lines of its
// standard input say: "count N" (samples), "boot", "away" (the next call meets a dish that is away). Ends with its
// input.
#include <iostream>
#include <sstream>

#include "follow/test_dish.h"

int main(int argc, char** argv) {
  rhodes::TestDish dish(argc > 1 ? std::stoi(argv[1]) : 12);
  std::cout << dish.Start() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string word;
    int number = 0;
    words >> word >> number;
    if (word == "count") dish.Count(number);
    if (word == "boot") dish.Boot();
    if (word == "away") dish.Fail({rhodes::TestDish::Fault::kUnavailable});
  }
}
