#include <aios/engine.h>

#include <iostream>

int main(int, char** arguments) {
  aios::ArrowEngine engine(arguments[1]);
  std::cout << engine.diffuse("It was a").samples[0].text << '\n';
}
