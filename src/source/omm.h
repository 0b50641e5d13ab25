// CCSDS orbit mean-elements messages, as CelesTrak, Space-Track and others give them out.
#ifndef RHODES_SOURCE_OMM_H_
#define RHODES_SOURCE_OMM_H_

#include "source/format.h"

namespace rhodes {

// In one of four notations, told apart by how the file begins; kind element-set, one record a satellite:
//   JSON  an array of objects, an object a line, or {"data": [...]}; numbers as numbers or strings
//   CSV   a header with EPOCH in it, then a line each
//   XML   <omm> elements, in <ndm> or alone; the record is the element
//   KVN   "KEY = value [unit]" lines from CCSDS_OMM_VERS to the line before the next one
// Names, units and ranges: source/orbit.h.
const Format& OmmFormat();

}  // namespace rhodes

#endif  // RHODES_SOURCE_OMM_H_
