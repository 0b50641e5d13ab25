// The man page and the shell completion, made from the registered commands so that they cannot drift from the program.
#ifndef RHODES_APPS_RHODES_MANUAL_H_
#define RHODES_APPS_RHODES_MANUAL_H_

#include <string>

namespace rhodes {

std::string ManPage();         // roff, for rhodes.1
std::string BashCompletion();  // for bash-completion's directory

}  // namespace rhodes

#endif  // RHODES_APPS_RHODES_MANUAL_H_
