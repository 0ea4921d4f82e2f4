# Sets DSV4_CUDA: whether the card's side of the engine is built. nvcc is looked for on PATH, in
# /usr/local/cuda and among the Python packages that cmake/setup.sh test installs;
# DSV4_CUDA=OFF does without it, DSV4_CUDA=ON insists.
set(DSV4_CUDA AUTO CACHE STRING "Build for NVIDIA GPUs: ON, OFF, or AUTO where nvcc is found")
if(DSV4_CUDA STREQUAL "OFF" OR DSV4_SANITIZE OR DSV4_FUZZ)  # nvcc has no sanitizers
  set(DSV4_CUDA OFF)
  return()
endif()
file(GLOB packaged ${PROJECT_SOURCE_DIR}/build/venv/lib/python3*/site-packages/nvidia/cu13/bin)
find_program(DSV4_NVCC nvcc PATHS $ENV{CUDA_HOME}/bin /usr/local/cuda/bin ${packaged})
if(NOT DSV4_NVCC)
  if(DSV4_CUDA STREQUAL "ON")
    message(FATAL_ERROR "DSV4_CUDA is ON but there is no nvcc: install the CUDA toolkit, 12.8 or "
                        "later, or name its compiler with -DDSV4_NVCC=")
  endif()
  message(STATUS "No nvcc: the engine is built for the processor only")
  set(DSV4_CUDA OFF)
  return()
endif()
execute_process(COMMAND ${DSV4_NVCC} --version OUTPUT_VARIABLE version)
string(REGEX MATCH "release ([0-9.]+)" release "${version}")
if(CMAKE_MATCH_1 VERSION_LESS 12.8)
  message(STATUS "nvcc ${CMAKE_MATCH_1} does not know all cards (12.8 does): the engine is built for "
                 "the processor only")
  set(DSV4_CUDA OFF)
  return()
endif()
set(CMAKE_CUDA_COMPILER ${DSV4_NVCC})
# A100, H100 and H200, B200, and the workstation cards of its generation.
set(CMAKE_CUDA_ARCHITECTURES 80-real 90a-real 100-real 120)
enable_language(CUDA)
# CMake 3.25 does not know it of compilers that are newer than itself.
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
set(DSV4_CUDA ON)
message(STATUS "Building for NVIDIA GPUs with ${DSV4_NVCC}")
